// Made from web/core/src/worker.rs; do not edit. `UPDATE=1 cargo test` in web/ makes it anew.

import type { Notice, Request } from "./types";

export type Event = { "is": "start" } | { "is": "connected", secure: boolean, } | { "is": "received", text: string, } | { "is": "disconnected", reason: string | null, } | { "is": "networkChanged" } | { "is": "tick" } | { "is": "leave" } | { "is": "asked", request: Request, } | { "is": "progress", transfer: number, done: number, } | { "is": "finished", transfer: number, size: number, sha256: string, } | { "is": "failed", transfer: number, reason: string, };

export type Effect = { "do": "connect", domain: string, } | { "do": "send", text: string, } | { "do": "close" } | { "do": "upload", transfer: number, file: Sealed, url: string, headers: Array<[string, string]>, cipher: Cipher | null, } | { "do": "download", transfer: number, url: string, cipher: Cipher | null, most: number, into: Sealed, } | { "do": "cancelTransfer", transfer: number, } | { "do": "tell", notice: Notice, } | { "do": "wiped" };

export type Cipher = { key: string, iv: string, };

export type Sealed = { name: string, cipher: Cipher, };

export type Device = { label: string, kind: string, };
