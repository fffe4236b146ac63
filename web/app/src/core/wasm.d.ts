// What the build makes of web/core (scripts/web-core.sh); the bundler knows where it is.

declare module "clownfish-core" {
  /** Loads the WebAssembly. */
  export default function load(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  /** Makes a folder of the origin's private files ready for databases. Only one worker can have it. */
  export function install_storage(folder: string): Promise<void>;
  export function qr_code(text: string): Uint8Array | undefined;
  export function qr_scan(width: number, height: number, rgba: Uint8Array): string[];
  /** One account at work: see web/core/src/browser.rs. What is JSON is told there. */
  export class Core {
    constructor(dataKey: Uint8Array, device: string);
    handle(wall: number, steady: number, events: string): string;
    deadline(): number | undefined;
    give(): string;
    file(name: string): string;
    picture(avatar: string): Uint8Array | undefined;
    free(): void;
  }
}
