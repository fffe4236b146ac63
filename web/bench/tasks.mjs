// What the main thread of a page does, by the processor's clock: other programs on the machine do not
// count, as they would with the durations that the page itself can measure.

/** Runs `act`; the tasks of the main thread meanwhile, in milliseconds of processor time, longest first. */
export async function tasksOf(browser, page, act) {
  await browser.startTracing(page, { categories: ["toplevel"] });
  let trace;
  try {
    await act();
  } finally {
    trace = await browser.stopTracing();
  }
  const { traceEvents } = JSON.parse(trace.toString());
  const threads = traceEvents.filter((one) => one.name === "thread_name" && one.args.name === "CrRendererMain");
  const main = new Set(threads.map((one) => `${one.pid} ${one.tid}`));
  const tasks = traceEvents.filter((one) => /RunTask$/.test(one.name) && one.tdur && main.has(`${one.pid} ${one.tid}`));
  // Renderers that wait for a page do next to nothing.
  return tasks.map((one) => one.tdur / 1000).sort((a, b) => b - a);
}
