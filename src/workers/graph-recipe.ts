import type { StreamGraph } from '../dstream/graph.ts'
import type { GraphRecipe } from './protocol.ts'

/** Makes the graph of a pipeline in whatever thread it is called. */
export type GraphBuilder = (input: never) => Promise<StreamGraph>

/** Builds the graph that a recipe describes. */
export async function buildGraph({ module, input }: GraphRecipe): Promise<StreamGraph> {
  const { default: build } = (await import(module)) as { default: GraphBuilder }
  return build(input as never)
}
