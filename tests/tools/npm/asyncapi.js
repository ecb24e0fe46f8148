// Reads AsyncAPI documents with the specification's own parser. Prints each error; exit 1 if there is any.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const ERROR = 0;
const parser = new Parser();
let errors = 0;
for (const file of process.argv.slice(2)) {
  for (const found of await parser.validate(readFileSync(file, "utf8"))) {
    if (found.severity !== ERROR) continue;
    errors += 1;
    console.log(`${file}: ${found.path.join(".")}: ${found.message}`);
  }
}
process.exitCode = errors ? 1 : 0;
