import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { textOf, UserError, type Item } from '@polyrun/core';
import { done, type Command } from './command.ts';

/** `/save`: the conversation as a file. */
export const save: Command = {
  name: 'save',
  usage: '<file>',
  help: 'writes the conversation: `.json` as items that any run takes as input, anything else as Markdown',
  async run({ conversation, screen }, file) {
    if (file === '') throw new UserError('/save: where to? Name a file, such as /save talk.md');
    const items = await conversation.session.getItems();
    const isJson = path.extname(file) === '.json';
    const text = isJson ? `${JSON.stringify(items, null, 2)}\n` : transcript(items);
    await writeFile(file, text).catch((error: unknown) => {
      throw new UserError(`/save ${file}: ${error instanceof Error ? error.message : String(error)}`);
    });
    screen.line(`Saved ${items.length} items to ${path.resolve(file)}`);
    return done;
  },
};

function transcript(items: readonly Item[]): string {
  return items.map(paragraph).filter(Boolean).join('\n\n') + '\n';
}

function paragraph(item: Item): string {
  switch (item.type) {
    case 'message':
      return `## ${item.role === 'assistant' ? (item.origin?.model ?? 'Assistant') : 'You'}\n\n${textOf(item)}`;
    case 'function_call':
      return `> ${item.name} \`${item.arguments}\``;
    case 'function_call_output':
      return textOf(item).replace(/^/gm, '> ');
    default:
      return '';
  }
}
