import { useEffect, useState } from "preact/hooks";

import type { Squares } from "../../core/api";
import { useStore } from "../../state/use";
import "./qr.css";

/** A text as a QR code: always dark on light, with the margin that scanners need. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { core } = useStore();
  const [squares, setSquares] = useState<Squares | null>(null);
  useEffect(() => {
    let wanted = true;
    setSquares(null);
    core.qr(text).then(
      (made) => wanted && setSquares(made),
      () => undefined, // The text itself is next to it.
    );
    return () => {
      wanted = false;
    };
  }, [core, text]);
  const side = (squares?.size ?? 21) + 8;
  return (
    <svg class="qr" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect class="qr-light" width={side} height={side} />
      {squares && <path class="qr-dark" d={outline(squares)} />}
    </svg>
  );
}

/** The dark squares as one path: a run of them is one rectangle. */
function outline({ size, dark }: Squares): string {
  let path = "";
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (!dark[y * size + x]) continue;
      const from = x;
      while (x + 1 < size && dark[y * size + x + 1]) x++;
      path += `M${from + 4} ${y + 4}h${x - from + 1}v1h-${x - from + 1}z`;
    }
  }
  return path;
}
