/* Optimizers by what they keep and move.
 *
 * An update reads the fp32 gradient, reads and writes the fp32 weight, and reads and writes s bytes
 * of moments:
 *
 *   4 + 2 * 4 + 2 s + more     [bytes a parameter]
 *
 * so 28 for Adam (s = 8). Moments of 8 bits come in blocks of 2,048 with an fp32 maximum each
 * (Dettmers 2021, section 2.1): 1 + 4 / 2048 bytes a moment. Adafactor keeps the sums of each
 * matrix' rows and columns instead of the second moment (Shazeer 2018, section 3): 2 * 4 / h bytes
 * a parameter of an h x h matrix, and reads the gradient twice. Muon turns the momentum of each
 * matrix X by five Newton-Schulz iterations of three products each (X X', its square, times X;
 * Jordan 2024).
 *
 * Left out: embeddings, heads and norms, which Muon's users give to Adam; the blocks of matrices
 * that are not square. */
#include "strat_optimizer.h"

#include <glib.h>

/* clang-format off */
static const StratOptimizerRow rows[] = {
    [STRAT_OPTIMIZER_NONE] = {.name = "none", .source = "the step ends with the gradients"},
    [STRAT_OPTIMIZER_ADAM] = {.name = "adam", .state_bytes = 8.0,
        .source = "Kingma and Ba 2015 (arXiv 1412.6980): two fp32 moments"},
    [STRAT_OPTIMIZER_ADAM_BF16] = {.name = "adam-bf16", .state_bytes = 4.0,
        .source = "DeepSeek-V3 (arXiv 2412.19437) section 3.3.2: both moments in bf16"},
    [STRAT_OPTIMIZER_ADAM_8BIT] = {.name = "adam-8bit", .state_bytes = 2.0 * (1.0 + 4.0 / 2048.0),
        .source = "Dettmers et al. 2021 (arXiv 2110.02861), bitsandbytes: both moments in 8 bits, block-wise"},
    [STRAT_OPTIMIZER_SGD] = {.name = "sgd",
        .source = "Robbins and Monro 1951: nothing is kept"},
    [STRAT_OPTIMIZER_SGD_MOMENTUM] = {.name = "sgd-momentum", .state_bytes = 4.0,
        .source = "Polyak 1964, torch.optim.SGD: an fp32 momentum"},
    [STRAT_OPTIMIZER_ADAFACTOR] = {.name = "adafactor", .state_of_width = 8.0, .more_bytes = 4.0,
        .source = "Shazeer and Stern 2018 (arXiv 1804.04235) section 3: sums of rows and columns, no first moment"},
    [STRAT_OPTIMIZER_MUON] = {.name = "muon", .state_bytes = 4.0, .more_bytes = 4.0, .products_of_matrix = 15.0,
        .source = "Jordan et al. 2024 (kellerjordan.github.io/posts/muon): an fp32 momentum, five Newton-Schulz iterations in bf16"},
};
/* clang-format on */
_Static_assert(G_N_ELEMENTS(rows) == STRAT_OPTIMIZER_COUNT, "a row for each optimizer");

const StratOptimizerRow *strat_optimizer_row(StratOptimizer optimizer)
{
    return &rows[optimizer];
}

const StratOptimizerRow *strat_optimizer_all(size_t *count)
{
    *count = G_N_ELEMENTS(rows);
    return rows;
}

double strat_optimizer_state_bytes(StratOptimizer optimizer, double width)
{
    return rows[optimizer].state_bytes + rows[optimizer].state_of_width / width;
}

double strat_optimizer_update_bytes(StratOptimizer optimizer)
{
    return 4.0 + 8.0 + 2.0 * rows[optimizer].state_bytes + rows[optimizer].more_bytes;
}
