// Made from web/core/src/worker.rs; do not edit. `UPDATE=1 cargo test --workspace --lib types` makes it anew.

import type { Notice, Request } from "./types";

export type Event = { "is": "start" } | { "is": "connected", 
/**
 * Nobody on the way can read or change what goes over it.
 */
secure: boolean, } | { "is": "received", text: string, } | { "is": "disconnected", 
/**
 * Why, in words; `None` when the worker closed it as it was told.
 */
reason: string | null, } | { "is": "networkChanged" } | { "is": "tick" } | { "is": "leave" } | { "is": "asked", request: Request, } | { "is": "progress", transfer: number, done: number, } | { "is": "finished", transfer: number, 
/**
 * Bytes of the file, decrypted.
 */
size: number, 
/**
 * SHA-256 of the bytes on the server, 64 hexadecimal digits.
 */
sha256: string, } | { "is": "failed", transfer: number, reason: string, };

export type Effect = { "do": "connect", domain: string, } | { "do": "send", text: string, } | { "do": "close" } | { "do": "upload", transfer: number, file: Sealed, url: string, headers: Array<[string, string]>, 
/**
 * How it is encrypted for its readers; `None` sends it as it is.
 */
cipher: Cipher | null, } | { "do": "download", transfer: number, url: string, 
/**
 * How it was encrypted.
 */
cipher: Cipher | null, 
/**
 * More bytes than this are an error.
 */
most: number, into: Sealed, } | { "do": "cancelTransfer", transfer: number, } | { "do": "forget", file: string, } | { "do": "tell", notice: Notice, } | { "do": "wiped" };

export type Cipher = { 
/**
 * 64 hexadecimal digits.
 */
key: string, 
/**
 * The nonce: 24 hexadecimal digits, 32 from old clients.
 */
iv: string, };

export type Sealed = { 
/**
 * Its name there.
 */
name: string, cipher: Cipher, };

export type Device = { 
/**
 * What the owner will recognise: `Firefox on Linux`.
 */
label: string, 
/**
 * The kind of program, as service discovery names it: `web`, `phone`.
 */
kind: string, };
