/* What scales of fp8 cost.
 *
 * An operand is read, and written twice: cast, and cast and transposed for the backward's products
 * (Micikevicius 2022, FP8 Formats for Deep Learning). What differs is how often it is read:
 *
 *   delayed  once: its scale comes from the steps before (NVIDIA's Transformer Engine)
 *   tensor   twice: first for its maximum (torchao.float8, dynamic scaling)
 *   row      two casts, of rows and of columns, each with a maximum of its own (torchao.float8,
 *            rowwise)
 *
 * Products with scales of rows are slower, by what pytorch/ao's pull request 1793 leaves (Llama 3
 * 8B on 8 H100: 7190 tokens/s with one scale a tensor, 6649 with those of rows: 92 ms a step, of
 * which the casts are half) of some 0.4 s of products in fp8.
 *
 * Left out: gathers in fp8; maxima that a kernel before takes along. */
#include "strat_scaling.h"

static const struct {
    double reads, rate;
} scalings[] = {
    [STRAT_SCALING_DELAYED] = {1.0, 1.0 },
    [STRAT_SCALING_TENSOR] = {2.0, 1.0 },
    [STRAT_SCALING_ROW] = {4.0, 0.88},
};

double strat_scaling_cast_bytes(StratScaling scaling, double bytes)
{
    return 2.0 * scalings[scaling].reads + 2.0 * bytes;
}

double strat_scaling_rate(StratScaling scaling)
{
    return scalings[scaling].rate;
}
