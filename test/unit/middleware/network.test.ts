import { expect, it } from "vitest";
import { network } from "../../../src/middleware/network.ts";

it.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:c000:201", "192.0.2.1"],
  ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0DB8:0001:0002::1", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::192.0.2.1", "2001:db8:1:2::/64"],
  ["2001:db8::", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  // Embedded IPv4 is the address itself in mapped addresses alone.
  ["::192.0.2.1", "0:0:0:0::/64"],
  ["64:ff9b::192.0.2.1", "64:ff9b:0:0::/64"],
])("counts %s as %s", (address, counted) => {
  expect(network(address)).toBe(counted);
});

it.each(["/run/app.sock:1", "1:2:3", "1:2:3:4:5:6:7:8:9", "1::2::3", "g::1", "12345::", ":"])(
  "leaves what is no address as it is: %s",
  (address) => {
    expect(network(address)).toBe(address);
  },
);
