// People: finding them, who they are, which devices are theirs, and one's own profile.

export { AddContact } from "./add";
export { ContactDetails } from "./details";
export { Devices } from "./devices";
export { Profile } from "./profile";
export { JoinRoom } from "./room/join";
export { NewChannel, NewGroup } from "./room/new";
export { QrShow } from "./qr-show";
export { Requests } from "./requests";
export { QrScan } from "./scan";
