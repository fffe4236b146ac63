// Reading a QR code with the camera, or out of a picture.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import type { Core } from "../../core/api";
import { words } from "../../i18n";
import { useStore } from "../../state/use";
import { Button, Dialog, Icon, Spinner } from "../kit";
import { bitmapOf } from "./picture";
import "./scan.css";

export interface QrScanProps {
  title: string;
  /** What the code is to be. */
  text?: string;
  /** Gets what was read; says what is wrong with it, or takes it and returns `null`. */
  onFound: (text: string) => string | null;
  onClose: () => void;
}

type Camera =
  | { is: "off" }
  | { is: "starting" }
  | { is: "on"; stream: MediaStream }
  | { is: "refused"; why: "denied" | "none" | "busy" };

/** Looks again so often: the camera shows more than anybody needs. */
const PAUSE_MS = 200;
/** Pixels on the longer side of what is looked at. */
const LARGEST = 1024;

export function QrScan({ title, text, onFound, onClose }: QrScanProps) {
  const { core } = useStore();
  const w = words().people.scan;
  const camera = useSignal<Camera>({ is: "off" });
  const problem = useSignal<string | null>(null);
  const file = useRef<HTMLInputElement>(null);
  const gone = useRef(false);
  const start = async () => {
    camera.value = { is: "starting" };
    problem.value = null;
    camera.value = await open();
    if (gone.current) stop(camera);
  };
  useEffect(() => {
    gone.current = false;
    // Who has allowed it before is not asked, and does not have to press anything.
    void allowed().then((yes) => {
      if (yes && !gone.current) void start();
    });
    return () => {
      gone.current = true;
      stop(camera);
    };
  }, []);
  const found = (texts: readonly string[]): boolean => {
    for (const one of texts) {
      problem.value = onFound(one);
      if (problem.value === null) {
        stop(camera);
        return true;
      }
    }
    return false;
  };
  const choose = async (chosen: File | undefined) => {
    if (!chosen) return;
    problem.value = null;
    const picture = await bitmapOf(chosen);
    if (!picture) {
      problem.value = w.unreadable;
      return;
    }
    const texts = await read(core, picture);
    picture.close();
    if (texts.length === 0) problem.value = w.nothing;
    else found(texts);
  };
  const now = camera.value;
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button icon="image" onClick={() => file.current?.click()}>
            {w.picture}
          </Button>
          {(now.is === "off" || now.is === "refused") && hasCamera() && (
            <Button kind="primary" icon="camera" onClick={() => void start()}>
              {w.start}
            </Button>
          )}
        </>
      }
    >
      <div class="scan">
        {text && <p>{text}</p>}
        {now.is === "on" ? (
          <View stream={now.stream} core={core} onTexts={found} />
        ) : (
          <div class="scan-idle">
            {now.is === "starting" ? (
              <Spinner size={32} label={w.starting} />
            ) : (
              <Icon name="qr" size={56} />
            )}
          </div>
        )}
        <p class="scan-text" role="status">
          {now.is === "on" ? w.looking : now.is === "starting" ? w.starting : now.is === "refused" ? w[now.why] : w.explain}
        </p>
        {problem.value && (
          <p class="scan-problem" role="alert">
            <Icon name="alert" size={18} />
            <span>{problem.value}</span>
          </p>
        )}
      </div>
      <input
        ref={file}
        class="hidden-text"
        type="file"
        accept="image/*"
        tabIndex={-1}
        aria-label={w.picture}
        onChange={(event) => {
          void choose(event.currentTarget.files?.[0]);
          event.currentTarget.value = "";
        }}
      />
    </Dialog>
  );
}

interface ViewProps {
  stream: MediaStream;
  core: Core;
  onTexts: (texts: string[]) => boolean;
}

/** What the camera sees, looked at until somebody takes what is in it. */
function View({ stream, core, onTexts }: ViewProps) {
  const video = useRef<HTMLVideoElement>(null);
  const latest = useRef(onTexts);
  latest.current = onTexts;
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    let at: ReturnType<typeof setTimeout> | undefined;
    let wanted = true;
    element.srcObject = stream;
    void element.play().catch(() => undefined);
    const look = async () => {
      const texts = element.videoWidth > 0 ? await read(core, element) : [];
      if (!wanted || (texts.length > 0 && latest.current(texts))) return;
      at = setTimeout(() => void look(), PAUSE_MS);
    };
    void look();
    return () => {
      wanted = false;
      clearTimeout(at);
      element.srcObject = null;
    };
  }, [stream, core]);
  return (
    <div class="scan-view">
      <video ref={video} class="scan-video" muted playsInline aria-label={words().people.scan.preview} />
      <span class="scan-frame" aria-hidden="true" />
    </div>
  );
}

/** What some browsers have for codes. */
interface Detector {
  detect(source: CanvasImageSource): Promise<{ rawValue: string }[]>;
}

declare global {
  interface Window {
    BarcodeDetector?: { new (options: { formats: string[] }): Detector; getSupportedFormats(): Promise<string[]> };
  }
}

let detector: Promise<Detector | null> | undefined;

async function makeDetector(): Promise<Detector | null> {
  const Made = window.BarcodeDetector;
  try {
    if (!Made || !(await Made.getSupportedFormats()).includes("qr_code")) return null;
    return new Made({ formats: ["qr_code"] });
  } catch {
    return null;
  }
}

/** The texts of the codes in a picture: the browser's own eyes, else those of the core. */
async function read(core: Core, source: HTMLVideoElement | ImageBitmap): Promise<string[]> {
  detector ??= makeDetector();
  const own = await detector;
  if (own) {
    try {
      const codes = await own.detect(source);
      return codes.map((code) => code.rawValue);
    } catch {
      detector = Promise.resolve(null);
    }
  }
  const width = source instanceof ImageBitmap ? source.width : source.videoWidth;
  const height = source instanceof ImageBitmap ? source.height : source.videoHeight;
  const scale = Math.min(1, LARGEST / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) return [];
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return core.scan(context.getImageData(0, 0, canvas.width, canvas.height));
}

function hasCamera(): boolean {
  return typeof navigator.mediaDevices?.getUserMedia === "function";
}

/** Whether the person has allowed the camera before. */
async function allowed(): Promise<boolean> {
  if (!hasCamera()) return false;
  try {
    const status = await navigator.permissions.query({ name: "camera" as PermissionName });
    return status.state === "granted";
  } catch {
    return false;
  }
}

async function open(): Promise<Camera> {
  if (!hasCamera()) return { is: "refused", why: "none" };
  try {
    const video = { facingMode: "environment", width: { ideal: 1280 } };
    return { is: "on", stream: await navigator.mediaDevices.getUserMedia({ video, audio: false }) };
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    const why = name === "NotAllowedError" ? "denied" : name === "NotFoundError" || name === "OverconstrainedError" ? "none" : "busy";
    return { is: "refused", why };
  }
}

function stop(camera: { value: Camera; peek(): Camera }): void {
  const now = camera.peek();
  if (now.is === "on") for (const track of now.stream.getTracks()) track.stop();
  camera.value = { is: "off" };
}
