/** What the wire forbids about a body, after the documentation of its provider: one sentence each, none when the body is legal. */
export function grammarProblems(_body: unknown): string[] {
  return ['test/grammar.ts is not written yet: say there what the wire forbids (order, roles, empty parts, ids)'];
}
