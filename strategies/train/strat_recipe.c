/* Linear layers in less than 16 bits. Y = X W, dX = dY W' and dW = X' dY run in the recipe's type;
 * attention, router, embedding, logits, norms and the first and last layers that the plan names
 * stay in 16 bits. Of a tensor of e elements, q bytes each once quantised:
 *
 *   cast      2 e read, c q e written, once for X and once for dY; recipes that scale by what they
 *             see read 2 e more before that. c = 2 where a product needs the columns of what was
 *             quantised by rows: tensor cores of Hopper read fp8 by rows alone, and scales of
 *             blocks (fp8-block, mxfp8, nvfp4) belong to rows or to columns; else 1.
 *             What the tensor group gathers is cast in shards before; where columns are the same
 *             numbers, what arrives is transposed: q read, q written.
 *             Scales of whole rows and of columns (fp8-row) are two casts, 8 e read.
 *   weights   cast once a step, by the optimizer (Transformer Engine keeps them for the
 * microbatches) held      c q a weight, beside 2 for those that are kept in 16 bits kept      q a
 * saved input of a linear layer. Attention keeps its output in 16 bits besides. gathered  under
 * sequence parallelism X in q bytes, forward and again for dW; dY in q, or in 2 q where rows and
 * columns are different numbers. Reductions stay in 16 bits.
 *
 * Sources: Transformer Engine 2.x documentation, "Low precision training" (tensor usages, handling
 * of transposes, all-gather of quantised tensors); Megatron-Bridge training/mixed_precision.py
 * (which recipes keep and gather quantised weights: mxfp8 gathers bf16 through the gradients'
 * buffer, nvfp4 does not keep them); formats: Micikevicius 2022 (arXiv 2209.05433), OCP MX 1.0 (32
 * elements a scale of a byte), NVIDIA 2025 (arXiv 2509.25149: nvfp4, 16 elements a scale of a byte,
 * largest elements before and after the Hadamard transform in one pass).
 *
 * Left out: rates of products with scales of blocks (mxfp8 and fp8-block take fp8's), casts that
 * norms and activations do on their way, the exchange of largest elements in a group, swizzles of
 * scales, stochastic rounding. */
#include "strat_recipe.h"

#include <glib.h>
#include <string.h>

#define I64 "%" G_GINT64_FORMAT

/* clang-format off */
static const StratRecipe recipes[] = {
    {.name = "fp8-delayed",
     .source = "Transformer Engine, DelayedScaling: a scale a tensor, from largest elements of "
               "earlier steps",
     .dtype = TOPO_DTYPE_FP8,
     .element_bytes = 1.0,
     .gathers_weights = true},
    {.name = "fp8-current",
     .source = "Transformer Engine, Float8CurrentScaling: a scale a tensor, from the tensor itself",
     .dtype = TOPO_DTYPE_FP8,
     .element_bytes = 1.0,
     .finds_largest = true,
     .gathers_weights = true},
    {.name = "fp8-row",
     .source = "torchao.float8, recipe rowwise: scales of rows and of columns, from the tensor; "
               "rate: pytorch/ao pull request 1793, Llama 3 8B on 8 H100, 6649 tokens/s for the "
               "7190 of one scale a tensor, less the passes",
     .dtype = TOPO_DTYPE_FP8,
     .element_bytes = 1.0,
     .finds_largest = true,
     .two_copies = true,
     .gathers_wide = true,
     .two_casts = true,
     .casts_weights = true,
     .rate = 0.88},
    {.name = "fp8-block",
     .source = "DeepSeek-V3 (arXiv 2412.19437) section 3.3.2 and Transformer Engine, "
               "Float8BlockScaling: fp32 scales of 128 activations and of 128 x 128 weights",
     .dtype = TOPO_DTYPE_FP8,
     .element_bytes = 1.0 + 4.0 / 128.0,
     .two_copies = true,
     .gathers_both = true,
     .block_scales = true},
    {.name = "mxfp8",
     .source = "OCP Microscaling formats 1.0 and Transformer Engine, MXFP8BlockScaling",
     .dtype = TOPO_DTYPE_FP8,
     .element_bytes = 1.0 + 1.0 / 32.0,
     .two_copies = true,
     .gathers_both = true,
     .needs_blackwell = true},
    {.name = "nvfp4",
     .source = "NVIDIA 2025, Pretraining LLMs with NVFP4 (arXiv 2509.25149), and Transformer "
               "Engine, NVFP4BlockScaling",
     .dtype = TOPO_DTYPE_FP4,
     .element_bytes = 0.5 + 1.0 / 16.0,
     .finds_largest = true,
     .two_copies = true,
     .gathers_both = true,
     .needs_blackwell = true},
};
/* clang-format on */

const StratRecipe *strat_recipe_all(size_t *count)
{
    *count = G_N_ELEMENTS(recipes);
    return recipes;
}

const StratRecipe *strat_recipe_of(const char *name, TopoDtype precision)
{
    if (precision <= TOPO_DTYPE_BF16)
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(recipes); i++) {
        if (name ? g_str_equal(recipes[i].name, name) : recipes[i].dtype == precision)
            return &recipes[i];
    }
    return NULL;
}

/* Tensor cores of Blackwell, the first with fp4, read fp8 by rows and by columns, and scales of
 * blocks. */
static bool is_blackwell(const TopoGpu *gpu)
{
    return gpu->peak_flop_per_s[TOPO_DTYPE_FP4] > 0.0;
}

static bool refuse(char **reason, char *text)
{
    if (reason)
        *reason = text;
    else
        g_free(text);
    return false;
}

bool strat_recipe_fits(const StratQuantise *quantise, TopoDtype precision, int64_t layers,
                       const TopoGpu *gpu, char **reason)
{
    const StratRecipe *recipe = strat_recipe_of(quantise->recipe, precision);
    if (quantise->wide_first + quantise->wide_last > layers)
        return refuse(reason, g_strdup_printf("wide_first " I64 " and wide_last " I64
                                              " are more than the model's " I64 " layers",
                                              quantise->wide_first, quantise->wide_last, layers));
    if (quantise->recipe && (!recipe || recipe->dtype != precision))
        return refuse(reason, g_strdup_printf("recipe %s is of another type than the products: "
                                              "fp8 and mxfp8 recipes need plan.precision fp8, "
                                              "nvfp4 needs fp4",
                                              quantise->recipe));
    if (recipe && recipe->needs_blackwell && !is_blackwell(gpu))
        return refuse(reason, g_strdup_printf("recipe %s needs tensor cores that read its scales "
                                              "(Blackwell): GPU %s has none",
                                              recipe->name, gpu->name ? gpu->name : "inline"));
    return true;
}

double strat_recipe_copies(const StratRecipe *recipe, const TopoGpu *gpu)
{
    return recipe->two_copies || !is_blackwell(gpu) ? 2.0 : 1.0;
}

double strat_recipe_cast_bytes(const StratRecipe *recipe, const TopoGpu *gpu, int64_t shards)
{
    if (recipe->gathers_wide)
        shards = 0;
    double read = (recipe->finds_largest ? 4.0 : 2.0) * (recipe->two_casts ? 2.0 : 1.0);
    double copies = strat_recipe_copies(recipe, gpu), transposed = 0.0;
    if (shards > 0 && !recipe->two_copies && copies > 1.0) {
        copies = 1.0;
        transposed = 2.0 * recipe->element_bytes;
    }
    return (read + copies * recipe->element_bytes) / (double)MAX(shards, 1) + transposed;
}

int strat_recipe_cast_kernels(const StratRecipe *recipe)
{
    return (recipe->finds_largest ? 2 : 1) * (recipe->two_casts ? 2 : 1);
}

double strat_recipe_rate(const StratRecipe *recipe)
{
    return recipe->rate > 0.0 ? recipe->rate : 1.0;
}

double strat_recipe_gathered_bytes(const StratQuantise *quantise, TopoDtype precision)
{
    const StratRecipe *recipe = strat_recipe_of(quantise->recipe, precision);
    bool quantised = recipe && quantise->parameters && recipe->gathers_weights;
    return quantised ? recipe->element_bytes : 2.0;
}

double strat_recipe_weight_bytes(const StratQuantise *quantise, TopoDtype precision,
                                 const TopoGpu *gpu)
{
    const StratRecipe *recipe = strat_recipe_of(quantise->recipe, precision);
    double wide = recipe && quantise->parameters ? 0.0 : 2.0;
    return wide + (recipe ? strat_recipe_copies(recipe, gpu) * recipe->element_bytes : 0.0);
}

static bool is_linear(const ModelOp *op)
{
    return op->kind == MODEL_OP_GEMM && op->part == MODEL_PART_LINEAR;
}

void strat_recipe_apply(const StratRecipe *recipe, ModelOps *ops)
{
    double share = recipe->element_bytes / 2.0;
    for (size_t i = 0; i < ops->count; i++) {
        ModelOp *op = &ops->op[i];
        bool feeds = i + 1 < ops->count && is_linear(op + 1);
        bool drains = i > 0 && is_linear(op - 1);
        bool attends = i > 0 && op[-1].kind == MODEL_OP_ATTENTION;
        if (is_linear(op))
            op->saved_bytes *= share + (attends ? 1.0 : 0.0);
        if (op->kind != MODEL_OP_COMM || recipe->gathers_wide)
            continue;
        if (feeds) {
            op->saved_bytes *= share;
            op->forward_bytes *= op->forward_comm == MODEL_COMM_ALL_GATHER ? share : 1.0;
        } else if (drains && op->backward_comm == MODEL_COMM_ALL_GATHER) {
            op->backward_bytes *= recipe->gathers_both ? 2.0 * share : share;
        }
    }
}
