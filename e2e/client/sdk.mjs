// The SDK, from where e2e/tools/install.sh put it. A module outside of the tree that holds the
// packages cannot import them by name.

import { pathToFileURL } from "node:url";
import { join } from "node:path";

const modules = process.env.CLIENT_NODE_MODULES;
if (!modules) throw new Error("CLIENT_NODE_MODULES must name the node_modules directory with matrix-js-sdk");

const load = (path) => import(pathToFileURL(join(modules, "matrix-js-sdk/lib", path)).href);

export const sdk = await load("index.js");
export const cryptoAPI = await load("crypto-api/index.js");
const { logger } = await load("logger.js");

logger.setLevel?.(process.env.CLIENT_LOG_LEVEL ?? "warn");
