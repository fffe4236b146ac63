import { Fragment } from "preact";

export interface AddressProps {
  /** An address, or the name that stands for it. */
  text: string;
  class?: string;
}

/** An address in its own direction: where it does not fit into a line, it is broken at a joint, not within a word. */
export function Address({ text, class: name }: AddressProps) {
  return (
    <bdi class={name}>
      {joints(text).map((part, at) => (
        <Fragment key={at}>
          {at > 0 && <wbr />}
          {part}
        </Fragment>
      ))}
    </bdi>
  );
}

/** The parts of an address that stay whole; together they are the address. */
export function joints(text: string): string[] {
  return text.match(/@?[^@.]+\.*|[@.]+/g) ?? [];
}
