// Made from web/core/src/worker.rs; do not edit. `UPDATE=1 cargo test` in web/ makes it anew.

import type { Notice, Request } from "./types";
