import { Component, h, type ComponentType, type FunctionComponent } from "preact";

/** A component that is drawn anew only when one of its properties is another. */
export function memo<P extends object>(draw: FunctionComponent<P>): ComponentType<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      const now = this.props as P;
      const keys = Object.keys(next) as (keyof P)[];
      return keys.length !== Object.keys(now).length || keys.some((key) => now[key] !== next[key]);
    }
    override render() {
      return h(draw, this.props as never);
    }
  };
}
