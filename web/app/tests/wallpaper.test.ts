// What stands behind the messages: by name, and never in the way of reading.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import "./browser";
import { behind, isWallpaper, WALLPAPERS } from "../src/ui/chat/logic/wallpaper";
import { read } from "../src/ui/shell/settings";

const UI = new URL("../../web/app/src/ui/", import.meta.url);

test("a chat has its own wallpaper or that of all, and unknown names are none", () => {
  assert.equal(behind(null, "sea"), "sea");
  assert.equal(behind("rose", "sea"), "rose");
  assert.equal(behind("plain", "sea"), "plain");
  for (const name of ["", "tartan", "constructor", "__proto__"]) assert.equal(behind(name, "dots"), "dots");
  assert.equal(read('{"wallpaper":"dusk"}').wallpaper, "dusk");
  for (const text of ['{"wallpaper":"tartan"}', '{"wallpaper":7}', "{}"]) assert.equal(read(text).wallpaper, "plain");
});

/** The light and the dark side of a name in a style sheet. */
function sides(css: string, name: string): [string, string] {
  const found = new RegExp(`${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(css);
  assert.ok(found, name);
  return [found[1] ?? "", found[2] ?? ""];
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

test("what is written on a wallpaper can be read in light and in dark", async () => {
  const tokens = await readFile(new URL("kit/tokens.css", UI), "utf8");
  const css = await readFile(new URL("chat/wallpaper.css", UI), "utf8");
  const rules = [...css.matchAll(/\[data-wallpaper="([a-z]+)"\] \{([^}]+)\}/g)].map((rule) => [rule[1] ?? "", rule[2] ?? ""] as const);
  assert.deepEqual(["plain", ...rules.map(([name]) => name)], [...WALLPAPERS]);
  assert.ok(!css.includes("url("), "nothing is fetched");
  for (const [name, rule] of rules.filter(([, rule]) => rule.includes("--wallpaper-colour"))) {
    assert.ok(isWallpaper(name));
    const ground = sides(rule, "--wallpaper-colour");
    for (const text of ["--text", "--text-muted", "--text-link", "--accent-text"]) {
      for (const [side, colour] of sides(tokens, text).entries()) {
        const seen = contrast(colour, ground[side] ?? "");
        assert.ok(seen >= 4.5, `${text} on ${name}, ${side === 0 ? "light" : "dark"}: ${seen.toFixed(2)}`);
      }
    }
  }
});
