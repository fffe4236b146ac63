// What is on the clipboard: a spreadsheet and a word processor put a picture of a text beside it.

/** The files that are pasted; none where the text is meant, which the field takes itself. */
export function pastedFiles(data: Pick<DataTransfer, "files" | "getData"> | null): File[] {
  const files = [...(data?.files ?? [])];
  const text = data?.getData("text/plain").trim() ?? "";
  return text === "" || names(text, files) ? files : [];
}

/** Whether a text is nothing but what the files are called, as file managers put it beside them. */
function names(text: string, files: readonly File[]): boolean {
  const called = new Set(files.map((file) => file.name.normalize()));
  return text.split(/[\r\n]+/).every((line) => called.has(last(line.trim()).normalize()));
}

/** The end of a path, or of the address of a file. */
function last(path: string): string {
  const end = path.slice(path.lastIndexOf("/") + 1);
  if (!path.startsWith("file:")) return end;
  try {
    return decodeURIComponent(end);
  } catch {
    return end;
  }
}
