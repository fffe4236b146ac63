// The small picture that came with the message of a large one, until that is fetched.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { coloursIn, pictureIn, type Pixels } from "../logic/thumbnail";

export function Thumbnail({ uri }: { uri: string | null | undefined }) {
  const [url, setUrl] = useState<string | null>(null);
  const colours = useMemo(() => (uri ? coloursIn(uri) : null), [uri]);
  useEffect(() => {
    const blob = uri ? pictureIn(uri) : null;
    if (!blob) return setUrl(null);
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [uri]);
  if (colours) return <Colours pixels={colours} />;
  if (url === null) return null;
  return <img class="picture-thumbnail" src={url} alt="" draggable={false} onError={() => setUrl(null)} />;
}

function Colours({ pixels }: { pixels: Pixels }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height, rgba } = pixels;
  useLayoutEffect(() => {
    canvas.current?.getContext("2d")?.putImageData(new ImageData(rgba, width, height), 0, 0);
  }, [pixels]);
  return <canvas ref={canvas} class="picture-thumbnail" width={width} height={height} aria-hidden="true" />;
}
