/** The fish, as on the icon of the app. */
export function Fish({ size }: { size: number }) {
  return <img class="fish" src="/icons/icon.svg" alt="" width={size} height={size} draggable={false} />;
}
