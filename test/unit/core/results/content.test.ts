/** Blocks of images, sounds and files: their data is base64, or nobody can read the result. */

import { audio, embed, image } from "gantry-mcp";
import { describe, expect, test } from "vitest";

const blocks = {
  "image()": (data: string) => image(data, "image/png").data,
  "audio()": (data: string) => audio(data, "audio/wav").data,
  "embed()": (blob: string) => embed({ uri: "file:///a", blob }).resource,
};

describe.each(Object.entries(blocks))("%s", (name, make) => {
  test.each(["", "AAEC", "AAE=", "AA==", "+/+/"])("takes %j as it is", (data) => {
    expect(JSON.stringify(make(data))).toContain(JSON.stringify(data));
  });

  test.each(["data:image/png;base64,AAEC", "AAE", "A===", "AA=A", "=AAA", "AA\nEC", "AA_-", "Ünde"])(
    "refuses %j, which is none",
    (data) => {
      expect(() => make(data)).toThrow(`${name}: the data is not base64. Write bytes, or`);
    },
  );
});
