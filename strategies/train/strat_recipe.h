/** How linear layers run in less than 16 bits: what is cast, how often, what is kept of it. */
#ifndef STRAT_RECIPE_H
#define STRAT_RECIPE_H

#include "model_ops.h"
#include "topo_cluster.h"

#include <stdbool.h>
#include <stddef.h>

/** One recipe of scaling. */
typedef struct StratRecipe {
    const char *name;
    const char *source;
    TopoDtype dtype;      /* of the three products of a linear layer: plan.precision */
    double element_bytes; /* of a quantised element, with its share of the scales */
    bool finds_largest;   /* a pass of its own over each tensor before it is cast */
    bool two_copies;      /* rows and columns are quantised apart, on every GPU */
    bool gathers_both;    /* of gradients the tensor group gathers both copies */
    bool gathers_weights; /* the data group gathers quantised weights, where they are kept so */
    bool gathers_wide;    /* the tensor group gathers 16 bits, and each GPU casts all */
    bool two_casts;       /* rows and columns have scales, and largest elements, of their own */
    bool casts_weights;   /* for each product, not once a step */
    double rate;          /* of its products, over that of one scale a tensor; 0: the same */
    bool block_scales;    /* scales of fp8 lie in blocks that the product applies itself */
    bool needs_blackwell; /* products read its scales in hardware */
} StratRecipe;

/** The part of a plan that chooses. */
typedef struct StratQuantise {
    const char *recipe; /* a row; NULL: the usual one of the plan's precision */
    bool parameters;    /* weights are kept (and gathered) quantised, not in 16 bits */
    int64_t wide_first; /* layers at the beginning and */
    int64_t wide_last;  /* at the end of the model that stay in 16 bits */
} StratQuantise;

/** All recipes. */
const StratRecipe *strat_recipe_all(size_t *count);

/** The recipe of @name, or, where that is NULL, the usual one of @precision; NULL where @precision
 *  has 16 bits or more, or nobody knows @name. */
const StratRecipe *strat_recipe_of(const char *name, TopoDtype precision);

/** Whether @quantise suits a model of @layers in @precision on @gpu; else a reason, which the
 *  caller owns, in @reason (NULL: not asked for). */
bool strat_recipe_fits(const StratQuantise *quantise, TopoDtype precision, int64_t layers,
                       const TopoGpu *gpu, char **reason);

/** Copies of a quantised tensor on @gpu: 2 where products cannot read its columns. */
double strat_recipe_copies(const StratRecipe *recipe, const TopoGpu *gpu);

/** Bytes that casting one element of 16 bits moves, and kernels that it takes. @shards: ranks that
 *  cast a tensor in shards and gather it quantised; 0: it is whole. */
double strat_recipe_cast_bytes(const StratRecipe *recipe, const TopoGpu *gpu, int64_t shards);
int strat_recipe_cast_kernels(const StratRecipe *recipe);

/** Rate of its products over that of one scale a tensor. */
double strat_recipe_rate(const StratRecipe *recipe);

/** Bytes that the data group gathers for one weight. */
double strat_recipe_gathered_bytes(const StratQuantise *quantise, TopoDtype precision);

/** Bytes that a rank of @gpu holds of one weight of a linear layer, without gradient and optimizer:
 *  16 bits and what is quantised of them for the microbatches, or that alone. */
double strat_recipe_weight_bytes(const StratQuantise *quantise, TopoDtype precision,
                                 const TopoGpu *gpu);

/** Changes @ops, those of a layer, as @recipe runs them: quantised inputs are kept, and the tensor
 *  group gathers quantised tensors. */
void strat_recipe_apply(const StratRecipe *recipe, ModelOps *ops);

#endif
