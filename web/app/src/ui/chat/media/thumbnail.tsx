// The small picture that came with the message of a large one, until that is fetched.

import { useEffect, useState } from "preact/hooks";

import { pictureIn } from "../logic/thumbnail";

export function Thumbnail({ uri }: { uri: string | null | undefined }) {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const blob = uri ? pictureIn(uri) : null;
    if (!blob) return setUrl(null);
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [uri]);
  if (url === null) return null;
  return <img class="picture-thumbnail" src={url} alt="" draggable={false} onError={() => setUrl(null)} />;
}
