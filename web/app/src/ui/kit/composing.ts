/**
 * Whether a key belongs to the input method, which is putting characters together: its Enter takes a suggestion,
 * and does nothing of ours. Safari has ended the composition by then, and tells only by the old code.
 */
export function composing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}
