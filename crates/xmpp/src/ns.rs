//! Namespace names, one constant each, with the specification that defines it.

/// RFC 6120 §4.8.1: the stream element, features and errors.
pub const STREAM: &str = "http://etherx.jabber.org/streams";
/// RFC 6120 §4.8.2: stanzas between client and server.
pub const CLIENT: &str = "jabber:client";
/// RFC 6120 §4.8.2: stanzas between servers.
pub const SERVER: &str = "jabber:server";
/// XEP-0114: stanzas between a component and its server.
pub const COMPONENT: &str = "jabber:component:accept";
/// RFC 6120 §4.9: conditions of stream errors.
pub const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// RFC 6120 §8.3: conditions of stanza errors.
pub const STANZA_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// RFC 6120 §5: STARTTLS.
pub const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
/// RFC 6120 §6: SASL, and the failure conditions of XEP-0388.
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// RFC 6120 §7: resource binding.
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// RFC 3921 §3: session establishment, obsolete but still asked for.
pub const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
/// RFC 7395: WebSocket framing.
pub const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
/// Namespaces in XML 1.0: what the prefix `xml` is bound to.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// Namespaces in XML 1.0: what the prefix `xmlns` is bound to.
pub const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
/// RFC 6415: the host-meta document.
pub const XRD: &str = "http://docs.oasis-open.org/ns/xri/xrd-1.0";
/// XEP-0220: Server Dialback.
pub const DIALBACK: &str = "jabber:server:dialback";
/// XEP-0220: the stream feature.
pub const DIALBACK_FEATURE: &str = "urn:xmpp:features:dialback";
/// XEP-0288: Bidirectional Server-to-Server Connections.
pub const BIDI: &str = "urn:xmpp:bidi";
/// XEP-0288: the stream feature.
pub const BIDI_FEATURE: &str = "urn:xmpp:features:bidi";
/// XEP-0478: Stream Limits Advertisement.
pub const STREAM_LIMITS: &str = "urn:xmpp:stream-limits:0";
/// XEP-0156: link relation of the WebSocket endpoint.
pub const ALT_WEBSOCKET: &str = "urn:xmpp:alt-connections:websocket";
/// XEP-0156: link relation of the BOSH endpoint.
pub const ALT_BOSH: &str = "urn:xmpp:alt-connections:xbosh";

/// XEP-0388: Extensible SASL Profile.
pub const SASL2: &str = "urn:xmpp:sasl:2";
/// XEP-0440: SASL Channel-Binding Type Capability.
pub const SASL_CHANNEL_BINDING: &str = "urn:xmpp:sasl-cb:0";
/// XEP-0480: SASL Upgrade Tasks.
pub const SASL_UPGRADE: &str = "urn:xmpp:sasl:upgrade:0";
/// XEP-0480: the task that upgrades SCRAM keys.
pub const SCRAM_UPGRADE: &str = "urn:xmpp:scram-upgrade:0";
/// XEP-0386: Bind 2.
pub const BIND2: &str = "urn:xmpp:bind:0";
/// XEP-0484: Fast Authentication Streamlining Tokens.
pub const FAST: &str = "urn:xmpp:fast:0";
/// XEP-0494: Client Access Management.
pub const CLIENT_ACCESS: &str = "urn:xmpp:cam:0";
/// XEP-0509: Initial Authentication Pipelining.
pub const AUTH_PIPELINING: &str = "urn:xmpp:iap:0";
/// XEP-0077: In-Band Registration.
pub const REGISTER: &str = "jabber:iq:register";
/// XEP-0077: the stream feature.
pub const REGISTER_FEATURE: &str = "http://jabber.org/features/iq-register";
/// XEP-0379: Pre-Authenticated Roster Subscription, and the token of XEP-0445.
pub const PREAUTH: &str = "urn:xmpp:pars:0";
/// XEP-0445: Pre-Authenticated In-Band Registration, the stream feature.
pub const PREAUTH_FEATURE: &str = "urn:xmpp:ibr-token:0";
/// XEP-0401: what its two command nodes begin with.
pub const INVITE: &str = "urn:xmpp:invite";
/// XEP-0401: the command that invites a contact.
pub const INVITE_INVITE: &str = "urn:xmpp:invite#invite";
/// XEP-0401: the command that invites a new user.
pub const INVITE_CREATE_ACCOUNT: &str = "urn:xmpp:invite#create-account";

/// XEP-0198: Stream Management.
pub const SM: &str = "urn:xmpp:sm:3";
/// XEP-0352: Client State Indication.
pub const CSI: &str = "urn:xmpp:csi:0";
/// XEP-0199: XMPP Ping.
pub const PING: &str = "urn:xmpp:ping";

/// RFC 6121 §2: the roster.
pub const ROSTER: &str = "jabber:iq:roster";
/// RFC 6121 §2.6: roster versions, the stream feature.
pub const ROSTER_VERSIONS: &str = "urn:xmpp:features:rosterver";
/// RFC 6121 §3.4: pre-approved subscriptions, the stream feature.
pub const PRE_APPROVAL: &str = "urn:xmpp:features:pre-approval";
/// XEP-0191: Blocking Command.
pub const BLOCKING: &str = "urn:xmpp:blocking";
/// XEP-0191: the `<blocked/>` error.
pub const BLOCKING_ERRORS: &str = "urn:xmpp:blocking:errors";
/// XEP-0377: Spam Reporting.
pub const REPORTING: &str = "urn:xmpp:reporting:1";
/// XEP-0485: PubSub Server Information.
pub const SERVERINFO: &str = "urn:xmpp:serverinfo:0";
/// XEP-0016: Privacy Lists, not supported, recognised to refuse.
pub const PRIVACY: &str = "jabber:iq:privacy";
/// XEP-0319: Last User Interaction in Presence.
pub const IDLE: &str = "urn:xmpp:idle:1";
/// XEP-0172: User Nickname.
pub const NICK: &str = "http://jabber.org/protocol/nick";

/// XEP-0280: Message Carbons.
pub const CARBONS: &str = "urn:xmpp:carbons:2";
/// XEP-0280: the rules of §6 are followed.
pub const CARBONS_RULES: &str = "urn:xmpp:carbons:rules:0";
/// XEP-0355: Namespace Delegation.
pub const DELEGATION: &str = "urn:xmpp:delegation:2";
/// XEP-0356: Privileged Entity.
pub const PRIVILEGE: &str = "urn:xmpp:privilege:2";
/// XEP-0297: Stanza Forwarding.
pub const FORWARD: &str = "urn:xmpp:forward:0";
/// XEP-0203: Delayed Delivery.
pub const DELAY: &str = "urn:xmpp:delay";
/// XEP-0091: Legacy Delayed Delivery.
pub const LEGACY_DELAY: &str = "jabber:x:delay";
/// XEP-0334: Message Processing Hints.
pub const HINTS: &str = "urn:xmpp:hints";
/// XEP-0359: Unique and Stable Stanza IDs.
pub const STANZA_ID: &str = "urn:xmpp:sid:0";
/// XEP-0313: Message Archive Management.
pub const MAM: &str = "urn:xmpp:mam:2";
/// XEP-0313: the extended filters, flipped pages and metadata.
pub const MAM_EXTENDED: &str = "urn:xmpp:mam:2#extended";
/// XEP-0441: Message Archive Management Preferences, the command node.
pub const MAM_CONFIGURE: &str = "urn:xmpp:mam#configure";
/// XEP-0059: Result Set Management.
pub const RSM: &str = "http://jabber.org/protocol/rsm";
/// XEP-0184: Message Delivery Receipts.
pub const RECEIPTS: &str = "urn:xmpp:receipts";
/// XEP-0085: Chat State Notifications.
pub const CHAT_STATES: &str = "http://jabber.org/protocol/chatstates";
/// XEP-0333: Displayed Markers.
pub const CHAT_MARKERS: &str = "urn:xmpp:chat-markers:0";
/// XEP-0308: Last Message Correction.
pub const CORRECT: &str = "urn:xmpp:message-correct:0";
/// XEP-0424: Message Retraction.
pub const RETRACT: &str = "urn:xmpp:message-retract:1";
/// XEP-0425: Moderated Message Retraction.
pub const MODERATE: &str = "urn:xmpp:message-moderate:1";
/// XEP-0422: Message Fastening.
pub const FASTEN: &str = "urn:xmpp:fasten:0";
/// XEP-0444: Message Reactions.
pub const REACTIONS: &str = "urn:xmpp:reactions:0";
/// XEP-0461: Message Replies.
pub const REPLY: &str = "urn:xmpp:reply:0";
/// XEP-0428: Fallback Indication.
pub const FALLBACK: &str = "urn:xmpp:fallback:0";
/// XEP-0393: Message Styling.
pub const STYLING: &str = "urn:xmpp:styling:0";
/// XEP-0372: References.
pub const REFERENCE: &str = "urn:xmpp:reference:0";
/// XEP-0160: offline storage, the service discovery feature.
pub const OFFLINE_FEATURE: &str = "msgoffline";
/// XEP-0066: Out of Band Data in messages.
pub const OOB: &str = "jabber:x:oob";
/// XEP-0249: Direct MUC Invitations.
pub const CONFERENCE: &str = "jabber:x:conference";
/// XEP-0224: Attention.
pub const ATTENTION: &str = "urn:xmpp:attention:0";
/// XEP-0300: Use of Cryptographic Hash Functions.
pub const HASHES: &str = "urn:xmpp:hashes:2";
/// XEP-0131: Stanza Headers and Internet Metadata.
pub const SHIM: &str = "http://jabber.org/protocol/shim";
/// XEP-0033: Extended Stanza Addressing.
pub const ADDRESS: &str = "http://jabber.org/protocol/address";
/// XEP-0353: Jingle Message Initiation.
pub const JINGLE_MESSAGE: &str = "urn:xmpp:jingle-message:0";
/// XEP-0166: Jingle.
pub const JINGLE: &str = "urn:xmpp:jingle:1";
/// XEP-0071: XHTML-IM, obsolete.
pub const XHTML: &str = "http://jabber.org/protocol/xhtml-im";

/// XEP-0384: OMEMO Encryption.
pub const OMEMO: &str = "urn:xmpp:omemo:2";
/// XEP-0384: node of the device list.
pub const OMEMO_DEVICES: &str = "urn:xmpp:omemo:2:devices";
/// XEP-0384: node of the bundles, one item per device.
pub const OMEMO_BUNDLES: &str = "urn:xmpp:omemo:2:bundles";
/// XEP-0384 0.3: the older OMEMO most clients still speak.
pub const OMEMO_LEGACY: &str = "eu.siacs.conversations.axolotl";
/// XEP-0384 0.3: node of the device list.
pub const OMEMO_LEGACY_DEVICES: &str = "eu.siacs.conversations.axolotl.devicelist";
/// XEP-0384 0.3: what the node of a bundle begins with; the device id follows.
pub const OMEMO_LEGACY_BUNDLES: &str = "eu.siacs.conversations.axolotl.bundles:";
/// XEP-0380: Explicit Message Encryption.
pub const ENCRYPTION: &str = "urn:xmpp:eme:0";
/// XEP-0420: Stanza Content Encryption.
pub const SCE: &str = "urn:xmpp:sce:1";
/// XEP-0373: OpenPGP for XMPP.
pub const OPENPGP: &str = "urn:xmpp:openpgp:0";
/// XEP-0027: Current Jabber OpenPGP Usage, obsolete.
pub const PGP_LEGACY: &str = "jabber:x:encrypted";
/// XEP-0027: signed presence, obsolete.
pub const PGP_SIGNED: &str = "jabber:x:signed";
/// XEP-0434: Trust Messages.
pub const TRUST_MESSAGES: &str = "urn:xmpp:tm:1";
/// XEP-0450: Automatic Trust Management.
pub const AUTOMATIC_TRUST: &str = "urn:xmpp:atm:1";

/// XEP-0060: Publish-Subscribe.
pub const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
/// XEP-0060: notifications.
pub const PUBSUB_EVENT: &str = "http://jabber.org/protocol/pubsub#event";
/// XEP-0060: what owners do to nodes.
pub const PUBSUB_OWNER: &str = "http://jabber.org/protocol/pubsub#owner";
/// XEP-0060: conditions added to stanza errors.
pub const PUBSUB_ERRORS: &str = "http://jabber.org/protocol/pubsub#errors";
/// XEP-0060: form type of a node's configuration.
pub const PUBSUB_NODE_CONFIG: &str = "http://jabber.org/protocol/pubsub#node_config";
/// XEP-0060: form type of publish options.
pub const PUBSUB_PUBLISH_OPTIONS: &str = "http://jabber.org/protocol/pubsub#publish-options";
/// XEP-0060: form type of subscription options.
pub const PUBSUB_SUBSCRIBE_OPTIONS: &str = "http://jabber.org/protocol/pubsub#subscribe_options";
/// XEP-0060: form type of a request for approval.
pub const PUBSUB_SUBSCRIBE_AUTHORIZATION: &str =
    "http://jabber.org/protocol/pubsub#subscribe_authorization";
/// XEP-0060: form type of a node's metadata.
pub const PUBSUB_META_DATA: &str = "http://jabber.org/protocol/pubsub#meta-data";
/// XEP-0402: PEP Native Bookmarks.
pub const BOOKMARKS: &str = "urn:xmpp:bookmarks:1";
/// XEP-0402: bookmarks are also served as XEP-0048.
pub const BOOKMARKS_COMPAT: &str = "urn:xmpp:bookmarks:1#compat";
/// XEP-0402: bookmarks are also served as XEP-0048 in PEP.
pub const BOOKMARKS_COMPAT_PEP: &str = "urn:xmpp:bookmarks:1#compat-pep";
/// XEP-0048: Bookmarks.
pub const BOOKMARKS_LEGACY: &str = "storage:bookmarks";
/// XEP-0411: Bookmarks Conversion.
pub const BOOKMARKS_CONVERSION: &str = "urn:xmpp:bookmarks-conversion:0";
/// XEP-0490: Message Displayed Synchronization.
pub const MDS: &str = "urn:xmpp:mds:displayed:0";
/// XEP-0490: the server publishes for the client.
pub const MDS_SERVER_ASSIST: &str = "urn:xmpp:mds:server-assist:0";
/// XEP-0492: Chat notification settings.
pub const NOTIFICATION_SETTINGS: &str = "urn:xmpp:notification-settings:1";
/// XEP-0084: User Avatar, the image.
pub const AVATAR_DATA: &str = "urn:xmpp:avatar:data";
/// XEP-0084: User Avatar, its metadata.
pub const AVATAR_METADATA: &str = "urn:xmpp:avatar:metadata";
/// XEP-0398: User Avatar to vCard-Based Avatars Conversion.
pub const AVATAR_CONVERSION: &str = "urn:xmpp:pep-vcard-conversion:0";
/// XEP-0054: vcard-temp.
pub const VCARD: &str = "vcard-temp";
/// XEP-0153: vCard-Based Avatars.
pub const VCARD_UPDATE: &str = "vcard-temp:x:update";
/// RFC 6351: the vCard itself, as used by XEP-0292.
pub const VCARD4: &str = "urn:ietf:params:xml:ns:vcard-4.0";
/// XEP-0292: vCard4 Over XMPP, the node.
pub const VCARD4_NODE: &str = "urn:xmpp:vcard4";
/// XEP-0277: Microblogging over XMPP.
pub const MICROBLOG: &str = "urn:xmpp:microblog:0";
/// RFC 4287: Atom.
pub const ATOM: &str = "http://www.w3.org/2005/Atom";

/// XEP-0030: Service Discovery, identity and features.
pub const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
/// XEP-0030: Service Discovery, items.
pub const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
/// XEP-0115: Entity Capabilities.
pub const CAPS: &str = "http://jabber.org/protocol/caps";
/// XEP-0390: Entity Capabilities 2.0.
pub const CAPS2: &str = "urn:xmpp:caps";
/// XEP-0232: Software Information.
pub const SOFTWARE_INFO: &str = "urn:xmpp:dataforms:softwareinfo";
/// XEP-0157: Contact Addresses, the form type.
pub const SERVER_INFO: &str = "http://jabber.org/network/serverinfo";
/// XEP-0050: Ad-Hoc Commands.
pub const COMMANDS: &str = "http://jabber.org/protocol/commands";
/// XEP-0133: Service Administration, what its nodes begin with.
pub const ADMIN: &str = "http://jabber.org/protocol/admin";
/// XEP-0004: Data Forms.
pub const DATA_FORMS: &str = "jabber:x:data";
/// XEP-0141: Data Forms Layout.
pub const DATA_FORMS_LAYOUT: &str = "http://jabber.org/protocol/xdata-layout";
/// XEP-0122: Data Forms Validation.
pub const DATA_FORMS_VALIDATE: &str = "http://jabber.org/protocol/xdata-validate";
/// XEP-0221: Data Forms Media Element.
pub const MEDIA_ELEMENT: &str = "urn:xmpp:media-element";
/// XEP-0231: Bits of Binary.
pub const BOB: &str = "urn:xmpp:bob";
/// XEP-0092: Software Version.
pub const VERSION: &str = "jabber:iq:version";
/// XEP-0202: Entity Time.
pub const TIME: &str = "urn:xmpp:time";
/// XEP-0012: Last Activity.
pub const LAST: &str = "jabber:iq:last";
/// XEP-0049: Private XML Storage.
pub const PRIVATE: &str = "jabber:iq:private";
/// XEP-0145: Annotations.
pub const ROSTER_NOTES: &str = "storage:rosternotes";
/// XEP-0413: Order-By.
pub const ORDER_BY: &str = "urn:xmpp:order-by:1";
/// XEP-0357: Push Notifications.
pub const PUSH: &str = "urn:xmpp:push:0";
/// Web Push straight from the server, enabled by XEP-0357: docs/web-push.md.
pub const WEB_PUSH: &str = "https://anemone.im/protocol/web-push";
/// XEP-0357: form type of the summary.
pub const PUSH_SUMMARY: &str = "urn:xmpp:push:summary";
/// UnifiedPush over XMPP: addresses for the applications of a phone.
pub const UNIFIED_PUSH: &str = "http://gultsch.de/xmpp/drafts/unified-push";
/// XEP-0065: SOCKS5 bytestreams.
pub const BYTESTREAMS: &str = "http://jabber.org/protocol/bytestreams";
/// XEP-0363: HTTP File Upload.
pub const HTTP_UPLOAD: &str = "urn:xmpp:http:upload:0";
/// XEP-0363: what a file is for.
pub const UPLOAD_PURPOSE: &str = "urn:xmpp:http:upload:purpose:0";
/// XEP-0363: the features of the four purposes.
pub const UPLOAD_PURPOSE_MESSAGE: &str = "urn:xmpp:http:upload:purpose:0#message";
/// XEP-0363: files of a profile are kept.
pub const UPLOAD_PURPOSE_PROFILE: &str = "urn:xmpp:http:upload:purpose:0#profile";
/// XEP-0363: files may be wanted for a short time.
pub const UPLOAD_PURPOSE_EPHEMERAL: &str = "urn:xmpp:http:upload:purpose:0#ephemeral";
/// XEP-0363: files may be kept for long.
pub const UPLOAD_PURPOSE_PERMANENT: &str = "urn:xmpp:http:upload:purpose:0#permanent";
/// XEP-0264, small pictures of files.
pub const THUMBNAILS: &str = "urn:xmpp:thumbs:1";
/// XEP-0446, of files.
pub const FILE_METADATA: &str = "urn:xmpp:file:metadata:0";
/// XEP-0447.
pub const FILE_SHARING: &str = "urn:xmpp:sfs:0";
/// XEP-0448, sources that are encrypted.
pub const FILE_SHARING_ENCRYPTED: &str = "urn:xmpp:esfs:0";
/// XEP-0103, sources by their address.
pub const URL_DATA: &str = "http://jabber.org/protocol/url-data";
/// XEP-0215: External Service Discovery.
pub const EXTERNAL_SERVICES: &str = "urn:xmpp:extdisco:2";
/// XEP-0158: CAPTCHA Forms.
pub const CAPTCHA: &str = "urn:xmpp:captcha";
/// XEP-0455: Service Outage Status.
pub const OUTAGE: &str = "urn:xmpp:sos:0";
/// XEP-0504: Data Policy.
pub const DATA_POLICY: &str = "urn:xmpp:data-policy:0";
/// XEP-0055: Jabber Search.
pub const SEARCH: &str = "jabber:iq:search";

/// XEP-0045: Multi-User Chat, joining.
pub const MUC: &str = "http://jabber.org/protocol/muc";
/// XEP-0045: what rooms tell occupants.
pub const MUC_USER: &str = "http://jabber.org/protocol/muc#user";
/// XEP-0045: roles and affiliations.
pub const MUC_ADMIN: &str = "http://jabber.org/protocol/muc#admin";
/// XEP-0045: configuration.
pub const MUC_OWNER: &str = "http://jabber.org/protocol/muc#owner";
/// XEP-0045: form type of the configuration.
pub const MUC_ROOM_CONFIG: &str = "http://jabber.org/protocol/muc#roomconfig";
/// XEP-0045: form type of what disco says about a room.
pub const MUC_ROOM_INFO: &str = "http://jabber.org/protocol/muc#roominfo";
/// XEP-0045: form type of a request for voice.
pub const MUC_REQUEST: &str = "http://jabber.org/protocol/muc#request";
/// XEP-0045: form type of a registration.
pub const MUC_REGISTER: &str = "http://jabber.org/protocol/muc#register";
/// XEP-0045: messages keep their ids.
pub const MUC_STABLE_ID: &str = "http://jabber.org/protocol/muc#stable_id";
/// XEP-0410: the room answers pings to oneself.
pub const MUC_SELF_PING: &str = "http://jabber.org/protocol/muc#self-ping-optimization";
/// XEP-0317: Hats.
pub const HATS: &str = "urn:xmpp:hats:0";
/// XEP-0488: MUC Token Invite.
pub const MUC_TOKENS: &str = "urn:xmpp:muc-token-invite:0";
/// XEP-0503: Server-side spaces.
pub const SPACES: &str = "urn:xmpp:spaces:0";
/// XEP-0463: MUC Affiliations Versioning.
pub const MUC_AFFILIATIONS: &str = "urn:xmpp:muc:affiliations:1";
/// XEP-0424: retracted messages are replaced in archives.
pub const RETRACT_TOMBSTONE: &str = "urn:xmpp:message-retract:1#tombstone";
/// XEP-0421: Occupant identifiers.
pub const OCCUPANT_ID: &str = "urn:xmpp:occupant-id:0";
