// Prints what the AsyncAPI parser has to say about a document, one line each, and exits 1 where something is an error.
const { readFileSync } = require("fs");
const { Parser } = require("@asyncapi/parser");

new Parser().parse(readFileSync(process.argv[2], "utf8")).then(({ document, diagnostics }) => {
  const names = ["error", "warning", "information", "hint"];
  for (const { severity, code, message, path } of diagnostics) {
    console.log(`${names[severity]}: ${code}: ${message} (at ${path.join(".")})`);
  }
  process.exit(document && diagnostics.every(({ severity }) => severity > 0) ? 0 : 1);
});
