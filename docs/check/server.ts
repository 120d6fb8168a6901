import { LLMock, type ChatCompletionRequest, type FixtureResponse } from '@copilotkit/aimock';

/** A server of the wire formats whose models go along with whatever a program asks: each calls its first tool once, then answers. */
export async function startModelServer(): Promise<LLMock> {
  const mock = new LLMock({ host: '127.0.0.1', port: 0, latency: 0 });
  mock.addFixture({ match: { predicate: () => true }, response: answer });
  await mock.start();
  return mock;
}

function answer(request: ChatCompletionRequest): FixtureResponse {
  const { messages, tools = [] } = request;
  const turn = messages.slice(messages.findLastIndex(({ role }) => role === 'user') + 1);
  const [tool] = tools;
  if (tool && !turn.some(({ role }) => role === 'tool')) {
    const { name, parameters } = tool.function;
    return { toolCalls: [{ name, arguments: JSON.stringify(exampleOf(parameters)) }] };
  }
  const schema = schemaOf(request);
  return { content: schema === undefined ? 'San Francisco.' : JSON.stringify(exampleOf(schema)) };
}

function schemaOf(request: ChatCompletionRequest): unknown {
  const format: unknown = Reflect.get(request, 'response_format');
  const schema = fieldsOf(fieldsOf(format)['json_schema'])['schema'];
  return schema;
}

/** The smallest value that a schema allows. */
export function exampleOf(schema: unknown): unknown {
  const { type, properties, items, enum: choice, const: only, anyOf, default: usual } = fieldsOf(schema);
  if (only !== undefined) return only;
  if (usual !== undefined) return usual;
  if (Array.isArray(choice)) return choice[0];
  if (Array.isArray(anyOf)) return exampleOf(anyOf[0]);
  switch (Array.isArray(type) ? type[0] : type) {
    case 'object':
      return Object.fromEntries(Object.entries(fieldsOf(properties)).map(([key, value]) => [key, exampleOf(value)]));
    case 'array':
      return [exampleOf(items)];
    case 'number':
    case 'integer':
      return 3;
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return 'Oslo';
  }
}

function fieldsOf(value: unknown): { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
