// Voice messages: nothing that was recorded is lost, and the composer comes back.

import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser";
import { lengthOf, Recorder } from "../src/ui/chat/composer/recorder";
import { toasts } from "../src/ui/kit/overlays";

/** Records what the test says. */
class FakeRecorder {
  static last: FakeRecorder;
  static broken = false;
  static isTypeSupported = (type: string) => type.startsWith("audio/ogg");
  state = "inactive";
  mimeType = "audio/ogg;codecs=opus";
  ondataavailable: (event: { data: Blob }) => void = () => {};
  onstop: () => void = () => {};

  constructor() {
    if (FakeRecorder.broken) throw new DOMException("nothing to record", "NotSupportedError");
    FakeRecorder.last = this;
  }

  start(): void {
    this.state = "recording";
  }

  pause(): void {
    this.state = "paused";
  }

  stop(): void {
    assert.notEqual(this.state, "inactive");
    this.hears("end");
    this.ends();
  }

  hears(text: string): void {
    this.ondataavailable({ data: new Blob([text]) });
  }

  /** As when a headset is unplugged. */
  ends(): void {
    this.state = "inactive";
    this.onstop();
  }
}

let stopped = 0;
const stream = { getTracks: () => [{ stop: () => (stopped += 1) }] };
Object.assign(globalThis, { MediaRecorder: FakeRecorder });
Object.assign(navigator, { mediaDevices: { getUserMedia: async () => stream } });

async function recording() {
  const recorder = new Recorder();
  const done: File[] = [];
  recorder.onDone = (file) => void done.push(file);
  await recorder.start("locked");
  return { recorder, done };
}

test("what was recorded before the microphone went away waits, and can be sent", async () => {
  const { recorder, done } = await recording();
  const before = stopped;
  FakeRecorder.last.hears("half an hour of ");
  FakeRecorder.last.hears("words");
  recorder.milliseconds.value = 1_800_000.4;
  FakeRecorder.last.ends();
  assert.equal(recorder.state.value, "ended");
  assert.ok(stopped > before, "the microphone is let go");
  assert.match(JSON.stringify(toasts.value), /can still be sent/);
  assert.equal(done.length, 0, "nobody asked to send it");
  // Nothing else can be done with it, and looking elsewhere does not lose it.
  recorder.resume();
  recorder.pause();
  recorder.leave();
  assert.equal(recorder.state.value, "ended");
  recorder.send();
  assert.equal(await done[0]?.text(), "half an hour of words");
  assert.equal(lengthOf(done[0] as File), 1_800_000, "others are told how long it is");
  assert.equal(lengthOf(new Blob(["of another place"])), null);
  assert.equal(recorder.state.value, "idle");
  assert.equal(recorder.rest.value, null);
});

test("what waits after such an end can be thrown away, and another one recorded", async () => {
  const { recorder, done } = await recording();
  FakeRecorder.last.hears("words");
  FakeRecorder.last.ends();
  recorder.cancel();
  assert.equal(recorder.state.value, "idle");
  await recorder.start("locked");
  assert.equal(recorder.state.value, "locked");
  recorder.cancel();
  assert.equal(recorder.state.value, "idle");
  assert.equal(done.length, 0);
});

test("what is sent or thrown away is so once", async () => {
  const { recorder, done } = await recording();
  recorder.milliseconds.value = 2_000;
  FakeRecorder.last.hears("words and the ");
  recorder.send();
  assert.equal(await done[0]?.text(), "words and the end");
  assert.equal(recorder.state.value, "idle");
  const other = await recording();
  FakeRecorder.last.hears("words");
  other.recorder.cancel();
  assert.equal(other.done.length, 0);
  assert.equal(other.recorder.state.value, "idle");
});

test("a microphone that goes at once leaves nothing behind", async () => {
  const { recorder, done } = await recording();
  FakeRecorder.last.ends();
  assert.equal(recorder.state.value, "idle");
  assert.equal(done.length, 0);
  assert.match(JSON.stringify(toasts.value), /before anything was recorded/);
});

test("where recording fails at its start the composer comes back, and the microphone is let go", async () => {
  FakeRecorder.broken = true;
  const before = stopped;
  const { recorder } = await recording();
  FakeRecorder.broken = false;
  assert.equal(recorder.state.value, "idle");
  assert.ok(stopped > before);
  assert.match(JSON.stringify(toasts.value), /cannot record/);
});
