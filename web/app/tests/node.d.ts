// As much of Node as the tests use. The page itself runs in browsers and sees none of it.

declare module "node:assert/strict" {
  function ok(value: unknown, message?: string | Error): asserts value;
  namespace ok {
    function ok(value: unknown, message?: string | Error): asserts value;
    function equal(actual: unknown, expected: unknown, message?: string | Error): void;
    function notEqual(actual: unknown, expected: unknown, message?: string | Error): void;
    function deepEqual(actual: unknown, expected: unknown, message?: string | Error): void;
    function match(text: string, pattern: RegExp, message?: string | Error): void;
    function throws(work: () => unknown, error?: RegExp | (new (words: string) => Error), message?: string): void;
  }
  export default ok;
}

declare module "node:test" {
  /** What a test is given. */
  export interface Context {
    mock: { timers: { enable(options: { apis: string[] }): void; tick(milliseconds: number): void } };
    after(work: () => unknown): void;
  }
  type Work = (t: Context) => unknown;
  export function test(name: string, work: Work): Promise<void>;
  export function before(work: () => unknown): void;
}

declare module "node:crypto" {
  export function createHash(name: string): { update(bytes: Uint8Array): { digest(encoding: "hex"): string } };
}

declare module "node:fs/promises" {
  export function readdir(folder: URL, options: { recursive: true }): Promise<string[]>;
  export function readFile(file: URL, encoding: "utf8"): Promise<string>;
}

declare const Buffer: { from(bytes: Uint8Array): { toString(encoding: "hex"): string } };

interface String {
  /** ES2024. */
  isWellFormed(): boolean;
}

declare function setImmediate(work: (value?: unknown) => void): void;
