import type { StreamGraph } from '../dstream/graph.ts'
import type { OwnSinks } from './output-sinks.ts'
import type { GraphRecipe } from './protocol.ts'

/** Makes the graph of a pipeline in whatever thread it is called. */
export type GraphBuilder = (input: never) => Promise<StreamGraph>

interface RecipeModule {
  readonly default: GraphBuilder
  readonly sinks: OwnSinks
}

/** Builds the graph that a recipe describes; gives with it the sinks of outputs that name none. */
export async function buildGraph({ module, input }: GraphRecipe) {
  const { default: build, sinks } = (await import(module)) as RecipeModule
  return { graph: await build(input as never), sinks }
}
