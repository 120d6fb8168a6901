import type {
  CallToolResult,
  ContentBlock,
  EmbeddedResource,
  PromptMessage,
  ResourceLink,
} from '@modelcontextprotocol/client';
import { toJson, type InputPart, type MessageItem } from '@polyrun/core';

/** What a tool's result is to the model: text as a string, other content as parts, structured content as JSON. */
export function outputOf(result: CallToolResult, structured: 'fallback' | 'prefer'): unknown {
  const { content, structuredContent } = result;
  const parts = content.map(partOf);
  if (structuredContent === undefined || (structured === 'fallback' && parts.length > 0)) return oneOrMany(parts);
  const value = toJson(structuredContent);
  const media = parts.filter((part) => part.type !== 'input_text');
  return media.length === 0 ? value : [text(JSON.stringify(value)), ...media];
}

/** The text of a result, as the words of an error. */
export function wordsOfResult({ content, structuredContent }: CallToolResult): string {
  const words = content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  if (words.length > 0) return words.join('\n');
  return structuredContent === undefined ? 'The tool gave no reason.' : JSON.stringify(structuredContent);
}

/** Content of an MCP server as a part of a message or of a tool's output. */
export function partOf(block: ContentBlock): InputPart {
  switch (block.type) {
    case 'text':
      return text(block.text);
    case 'image':
    case 'audio':
      return media({ mimeType: block.mimeType, data: block.data, name: block.type });
    case 'resource':
      return resourcePart(block.resource);
    case 'resource_link':
      return text(linkText(block));
  }
}

/** The contents of a resource as a part; of text, the model is told which resource it is. */
export function resourcePart(resource: EmbeddedResource['resource']): InputPart {
  const { uri, mimeType = 'application/octet-stream' } = resource;
  if ('text' in resource) return text(`Resource ${uri}:\n${resource.text}`);
  return media({ mimeType, data: resource.blob, name: uri.split('/').at(-1) || 'resource' });
}

/** A message of a prompt as an item that a run takes as input. */
export function messageOf({ role, content }: PromptMessage): MessageItem {
  const part = partOf(content);
  if (part.type !== 'input_text') return { type: 'message', role, content: [part] };
  return { type: 'message', role, content: part.text };
}

function oneOrMany(parts: readonly InputPart[]): string | readonly InputPart[] {
  const [first] = parts;
  if (first === undefined) return '';
  return parts.length === 1 && first.type === 'input_text' ? first.text : parts;
}

function text(words: string): InputPart {
  return { type: 'input_text', text: words };
}

function media({ mimeType, data, name }: { mimeType: string; data: string; name: string }): InputPart {
  const url = `data:${mimeType};base64,${data}`;
  if (mimeType.startsWith('image/')) return { type: 'input_image', image_url: url };
  if (mimeType.startsWith('audio/'))
    return { type: 'input_audio', input_audio: { data, format: audioFormat(mimeType) } };
  return { type: 'input_file', filename: name, file_data: url };
}

/** Formats are called by the endings of files, MIME types by other names. */
function audioFormat(mimeType: string): string {
  const name = mimeType.slice('audio/'.length).replace(/^(x-|vnd\.)|;.*$/g, '');
  return { mpeg: 'mp3', wave: 'wav', mp4: 'm4a' }[name] ?? name;
}

function linkText({ uri, name, title, description, mimeType, size }: ResourceLink): string {
  const facts = [description, mimeType, size === undefined ? undefined : `${size} bytes`].filter(Boolean).join('; ');
  return `Link to the resource ${title ?? name} (${uri})${facts === '' ? '' : `: ${facts}`}`;
}
