// Runs a program of Rust tests. It has no output here: it ends well, or with the stack of the test that
// failed, whose name is in there.

Error.stackTraceLimit = 100;

self.onmessage = async (event: MessageEvent<string>) => {
  try {
    const { instance } = await WebAssembly.instantiateStreaming(fetch(event.data), {});
    const main = instance.exports["main"] as (count: number, words: number) => number;
    self.postMessage({ code: main(0, 0) });
  } catch (error) {
    self.postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
};
