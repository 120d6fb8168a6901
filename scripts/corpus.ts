/** Prints the tables of all adapters, one after the other: each plays every recording of its wire and says what was read wrongly. */
for (const adapter of ['openai-responses', 'anthropic', 'mistral', 'chat-completions']) {
  await import(new URL(`../packages/${adapter}/test/corpus-table.ts`, import.meta.url).href);
  console.log();
}
