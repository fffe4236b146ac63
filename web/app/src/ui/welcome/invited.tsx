import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { fill, words } from "../../i18n";
import { useStore } from "../../state/use";
import { Avatar, Button, IconButton, TextField } from "../kit";
import { Fish } from "../shell/fish";
import { isServer, nameOf, serverOf } from "../people/address";
import type { Invitation } from "../people/links";
import { copy, shareText } from "../people/share";
import { attempt, enter, type Entry } from "./entering";
import { addressName, otherName } from "./name";
import { below, proposal, SHORTEST } from "./password";
import { nameProposal } from "./proposed";
import { NotIn } from "./sign-in";
import { focusWrong, Progress, Stage, Trouble, type StepProps } from "./stage";
import { reasonText } from "../reason";

interface InvitedProps extends StepProps {
  invitation: Invitation;
}

/** A new account: a name, a password that is made already, one button. */
export function Invited({ invitation, to }: InvitedProps) {
  const store = useStore();
  const w = words().welcome;
  const { inviter, token } = invitation;
  const typed = useSignal(invitation.name ?? nameProposal());
  const server = useSignal(invitation.server ?? location.hostname);
  const password = useSignal(proposal());
  const tried = useSignal(false);
  const now = attempt.value;
  const failed = now.is === "failed" ? now : null;
  const name = addressName(typed.value);
  const address = name && isServer(server.value) ? `${name}@${server.value}` : "";
  const short = [...password.value].length < SHORTEST;
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => focusWrong(form.current), [failed]);
  const submit = (event?: Event) => {
    event?.preventDefault();
    tried.value = true;
    if (address === "" || short) return void setTimeout(() => focusWrong(form.current));
    const nickname = typed.value.trim();
    void enter(store, { address, password: password.value, token, register: true, inviter, nickname });
  };
  const change = (value: string) => {
    typed.value = value;
    tried.value = false;
    if (failed) attempt.value = { is: "idle" };
  };
  if (failed?.problem.kind === "notInvited") return <Gone invitation={invitation} to={to} />;
  return (
    <Stage>
      <Host invitation={invitation} />
      <form ref={form} class="welcome-form" noValidate onSubmit={submit}>
        <TextField
          label={w.yourName}
          autocomplete="nickname"
          autocapitalize="words"
          spellcheck={false}
          enterkeyhint="go"
          maxLength={64}
          required
          value={typed.value}
          error={nameError(typed.value, tried.value, failed)}
          hint={address ? <AddressIs address={address} madeUp={invitation.name === null && typed.value === nameProposal()} /> : w.yourNameHint}
          onFocus={(event) => event.currentTarget.select()}
          onInput={change}
        />
        {failed?.problem.kind === "nameTaken" && <Other taken={nameOf(failed.entry.address)} onTake={change} />}
        {invitation.server === null && (
          <TextField
            label={w.server}
            hint={w.serverHint}
            autocapitalize="none"
            spellcheck={false}
            value={server.value}
            error={isServer(server.value) ? null : w.serverWrong}
            onInput={(value) => (server.value = value.trim().toLowerCase())}
          />
        )}
        <input class="hidden-text" type="text" name="username" autocomplete="username" value={address} readOnly tabIndex={-1} aria-hidden="true" />
        <div class="welcome-password">
          <TextField
            label={w.password}
            type="password"
            name="password"
            autocomplete="new-password"
            value={password.value}
            error={short && tried.value ? w.passwordShort(SHORTEST) : badPassword(failed)}
            hint={password.value === proposal() ? `${w.passwordMade}. ${w.passwordWhy}` : w.passwordWhy}
            onInput={(value) => {
              password.value = value;
              if (failed) attempt.value = { is: "idle" };
            }}
          />
          <IconButton icon="copy" label={w.copyPassword} onClick={() => void copy(password.value)} />
        </div>
        {failed && !besideField(failed.problem.kind) && (
          <NotIn problem={failed.problem} server={serverOf(failed.entry.address)} onRetry={submit} />
        )}
        <Button kind="primary" wide type="submit" busy={now.is === "working"}>
          {inviter ? fill(w.startWith, { name: nameOf(inviter) }) : w.start}
        </Button>
        <Progress />
      </form>
      {now.is !== "working" && (
        <div class="welcome-buttons">
          <Button kind="quiet" wide onClick={() => to({ is: "signIn", invitation })}>
            {w.haveAccountAlready}
          </Button>
        </div>
      )}
    </Stage>
  );
}

/** Problems that are said at a field. */
function besideField(kind: string): boolean {
  return kind === "nameTaken" || kind === "invalid";
}

interface Failed {
  entry: Entry;
  problem: { kind: string; words: string };
}

function nameError(typed: string, tried: boolean, failed: Failed | null): string | null {
  const w = words().welcome;
  if (failed?.problem.kind === "nameTaken") return fill(w.nameTaken, { name: nameOf(failed.entry.address) });
  if (typed.trim() === "") return tried ? w.nameMissing : null;
  return addressName(typed) === "" ? w.nameUnfit : null;
}

function badPassword(failed: Failed | null): string | null {
  if (failed?.problem.kind !== "invalid") return null;
  return fill(words().welcome.badPassword, { reason: reasonText(failed.problem.words) });
}

/** Who invites, or to where. */
function Host({ invitation, text = true }: { invitation: Invitation; text?: boolean }) {
  const w = words().welcome;
  const { inviter, server } = invitation;
  if (inviter === null) {
    return (
      <>
        <Fish size={80} />
        <h1 class="welcome-title">{fill(w.invited, { server: server ?? "Clownfish" })}</h1>
        {text && <p class="welcome-text">{w.invitedServerText}</p>}
      </>
    );
  }
  return (
    <>
      <span class="welcome-host">
        <Avatar address={inviter} name={nameOf(inviter)} avatar={null} size={88} />
        <span class="welcome-host-fish">
          <Fish size={36} />
        </span>
      </span>
      <h1 class="welcome-title">{fill(w.invites, { name: nameOf(inviter) })}</h1>
      <bdi class="welcome-address">{inviter}</bdi>
      {text && <p class="welcome-text">{w.invitedText}</p>}
    </>
  );
}

/** The address that is about to be made, its own part in bold; and that the name is a proposal. */
function AddressIs({ address, madeUp }: { address: string; madeUp: boolean }) {
  const [before = "", after = ""] = words().welcome.addressIs.split("{address}");
  return (
    <span class="welcome-address-is">
      {madeUp && `${words().welcome.nameMadeUp} `}
      {before}
      <bdi class="welcome-new-address">{address}</bdi>
      {after}
    </span>
  );
}

/** Another name for one that is taken. */
function Other({ taken, onTake }: { taken: string; onTake: (name: string) => void }) {
  const other = useSignal(otherName(taken, below)).value;
  return (
    <Button class="welcome-other" onClick={() => onTake(other)}>
      {fill(words().welcome.takeOther, { name: other })}
    </Button>
  );
}

/** The invitation is good for nothing any more. */
function Gone({ invitation, to }: InvitedProps) {
  const w = words().welcome;
  const { inviter } = invitation;
  return (
    <Stage>
      <Host invitation={invitation} text={false} />
      <div class="welcome-form">
        <Trouble
          text={w.invitationGone}
          more={inviter ? fill(w.invitationGoneText, { name: nameOf(inviter) }) : w.invitationGoneSomebody}
          action={{ label: w.ask, icon: "share", run: () => void shareText(w.askText) }}
        />
      </div>
      <div class="welcome-buttons">
        <Button wide icon="mail" onClick={() => to({ is: "paste" })}>
          {w.pasteOther}
        </Button>
        <Button kind="quiet" wide onClick={() => to({ is: "signIn", invitation })}>
          {w.haveAccountAlready}
        </Button>
      </div>
    </Stage>
  );
}
