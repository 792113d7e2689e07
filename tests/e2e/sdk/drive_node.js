// Makes one call of the partner SDK for Node and prints what it gave.
//
// Reads one JSON object from standard input: {"host", "port", "key", "secret", "clockShiftSeconds",
// "call": "QRCodeCreate", "argument"}. The SDK speaks HTTPS only: NODE_EXTRA_CA_CERTS names the
// stack's CA. NODE_PATH names the folder it was installed into.

"use strict";

const fs = require("fs");

const order = JSON.parse(fs.readFileSync(0, "utf8"));
if (order.clockShiftSeconds) {
    const now = Date.now;
    Date.now = () => now() + order.clockShiftSeconds * 1000;
}
console.log = console.error; // it prints hints

const PAYPAY = require("@paypayopa/paypayopa-sdk-node");

const sdk = new PAYPAY.PayPayRestSDK();
sdk.configure({
    clientId: order.key,
    clientSecret: order.secret,
    conf: new PAYPAY.Conf({ hostName: order.host, portNumber: order.port }),
});
sdk[order.call](order.argument).then((result) => {
    process.stdout.write(JSON.stringify({ STATUS: result.STATUS, BODY: result.BODY, ERROR: result.ERROR }));
});
