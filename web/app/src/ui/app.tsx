import { Overlays, Page, phone } from "./kit";
import { route } from "../route";
import "./app.css";

/** Everything on the screen, for an account. */
export function App() {
  const at = route.value.at;
  return (
    <>
      <div class={phone.value ? "app app-phone" : "app"} data-at={at}>
        <Page title="Clownfish" root>
          {at}
        </Page>
      </div>
      <Overlays />
    </>
  );
}
