/* Gradient compression: bytes on the wire, and passes over memory.
 *
 * A row gives, for each parameter of fp32 gradients,
 *
 *   wire     bytes that one rank sends of its own (an all-reduce of them, or, where parts cannot be
 *            summed, an all-gather of all ranks': N times that)
 *   before   bytes read and written to compress: on the main stream, before the exchange
 *   after    bytes read and written to restore and add up: before the optimizer
 *
 *   fp16      read 4, write 2; read 2, write 4
 *   int8      minimum and maximum read 4, quantise read 4 and write 1; each rank restores, sums and
 *             quantises its part of all ranks' (1 read, 1 written); read 1, write 4
 *   1-bit     error and gradient read 8, error written 4, 1/8 written, and 1/8 read twice for its
 *             part of all; 1/8 read, 4 written
 *   top-k     error and gradient read 8, selection reads 4, what is left written 4, 8 d written
 * (value and index of a share d); zeros written 4, and values of all ranks added: 8 d each, left
 *             out as it is small where d is
 *   powersgd  error and gradient read 8, sum written 4; P = M Q and Q = M' P read 4 each; v r bytes
 * of factors; approximation written 4, error read 4 and written 4. With v = (rows + columns) /
 * (rows columns) of the matrices, 4 v r bytes are sent in all.
 *
 * Left out: orthogonalisation of PowerSGD's factors (n r^2 products of tall matrices), its second
 * latency, and what the sum of top-k's values costs on many ranks. */
#include "strat_data_parallel.h"

#include "strat_schedule.h"

static double none(const StratCompression *how, double vectors)
{
    (void)how;
    (void)vectors;
    return 0.0;
}

#define CONSTANT(name, value)                                                                      \
    static double name(const StratCompression *how, double vectors)                                \
    {                                                                                              \
        (void)how;                                                                                 \
        (void)vectors;                                                                             \
        return (value);                                                                            \
    }

CONSTANT(half_wire, 2.0)
CONSTANT(half_pass, 6.0)
CONSTANT(byte_wire, 1.0)
CONSTANT(byte_before, 4.0 + 4.0 + 1.0)
CONSTANT(byte_after, 1.0 + 1.0 + 1.0 + 4.0)
CONSTANT(bit_wire, 0.125)
CONSTANT(bit_before, 8.0 + 4.0 + 0.125)
CONSTANT(bit_after, 3.0 * 0.125 + 4.0)
CONSTANT(zeros, 4.0)

static double sparse_wire(const StratCompression *how, double vectors)
{
    (void)vectors;
    return 8.0 * how->density;
}

static double sparse_before(const StratCompression *how, double vectors)
{
    return 8.0 + 4.0 + 4.0 + sparse_wire(how, vectors);
}

static double rank_wire(const StratCompression *how, double vectors)
{
    return 4.0 * vectors * (double)how->rank;
}

static double rank_before(const StratCompression *how, double vectors)
{
    return 8.0 + 4.0 + 4.0 + 4.0 + rank_wire(how, vectors);
}

static double rank_after(const StratCompression *how, double vectors)
{
    return 4.0 + 4.0 + 4.0 + rank_wire(how, vectors);
}

/* clang-format off */
static const StratCompressor compressors[] = {
    {.name = "none",
     .source = "whole gradients, in the plan's own type",
     .wire = none, .before = none, .after = none},
    {.name = "fp16",
     .source = "PyTorch DDP communication hooks, fp16_compress_hook: cast, all-reduced, cast back",
     .wire = half_wire, .before = half_pass, .after = half_pass},
    {.name = "bf16",
     .source = "PyTorch DDP communication hooks, bf16_compress_hook",
     .wire = half_wire, .before = half_pass, .after = half_pass},
    {.name = "int8",
     .source = "Bagua ByteGrad (Gan et al. 2021, arXiv 2107.01499): minimum-maximum quantisation, scatter-reduce",
     .wire = byte_wire, .before = byte_before, .after = byte_after},
    {.name = "1-bit",
     .source = "Tang et al. 2021, 1-bit Adam (arXiv 2102.02888): signs and error feedback, compressed scatter-reduce",
     .keeps_error = true,
     .wire = bit_wire, .before = bit_before, .after = bit_after},
    {.name = "top-k",
     .source = "Lin et al. 2018, Deep Gradient Compression (arXiv 1712.01887): values and indices, all-gathered",
     .gathers = true, .keeps_error = true,
     .wire = sparse_wire, .before = sparse_before, .after = zeros},
    {.name = "powersgd",
     .source = "Vogels et al. 2019, PowerSGD (arXiv 1905.13727); PyTorch DDP communication hooks, powerSGD_hook",
     .keeps_error = true,
     .wire = rank_wire, .before = rank_before, .after = rank_after},
};
/* clang-format on */

const StratCompressor *strat_compressor_all(size_t *count)
{
    *count = G_N_ELEMENTS(compressors);
    return compressors;
}

const StratCompressor *strat_compressor_by_name(const char *name, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);
    if (!name)
        return &compressors[0];
    for (size_t i = 0; i < G_N_ELEMENTS(compressors); i++) {
        if (g_str_equal(compressors[i].name, name))
            return &compressors[i];
        g_string_append_printf(known, " %s", compressors[i].name);
    }
    g_set_error(error, STRAT_ERROR, STRAT_ERROR_UNKNOWN_NAME, "unknown compression '%s', known:%s",
                name, known->str);
    return NULL;
}
