/* The products that are measured.
 *
 * With weights: Y = X W' of 1 to 2048 rows over the matrices of models 512 to 4096 wide, and the
 * two products of its backward, dX = dY W and dW = dY' X. The weights, or their gradient, come from
 * a part of memory that was not touched for long, because a model has more layers than a cache
 * holds. Of activations: the scores and the context of attention and their backward, head by head,
 * whose operands the operations before have just written; and, for one row, the products of a token
 * with the keys and values of a sequence, which come from memory as the weights do. */
#include "kern_host_tasks.h"

static const struct {
    int64_t n, k;
} matrices[] = {
    {512,  512 },
    {1536, 512 },
    {512,  2048},
    {1024, 1024},
    {3072, 1024},
    {1024, 2816},
    {2048, 2048},
    {5632, 1024},
    {2048, 5632},
    {4096, 4096},
};

static const int64_t forward_rows[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048};
static const int64_t backward_rows[] = {64, 128, 256, 512, 1024, 2048};

static const struct {
    int64_t batch, sequence, head_dim;
} cores[] = {
    {8,  64,   64 },
    {8,  128,  64 },
    {8,  256,  64 },
    {8,  512,  64 },
    {8,  1024, 64 },
    {8,  64,   128},
    {8,  128,  128},
    {8,  256,  128},
    {8,  512,  128},
    {16, 2048, 128},
};

static const struct {
    int64_t batch, keys, head_dim;
} caches[] = {
    {8,  64,   64 },
    {16, 128,  64 },
    {64, 256,  64 },
    {64, 1024, 64 },
    {16, 128,  128},
    {16, 512,  128},
    {32, 2048, 128},
};

static void add(GArray *tasks, double largest_flop, bool activations, KernHostSides sides,
                KernGemmShape shape)
{
    KernHostTask task = {
        .kind = KERN_HOST_PRODUCT, .shape = shape, .sides = sides, .activations = activations};
    if (kern_gemm_flop(&shape) <= largest_flop)
        g_array_append_val(tasks, task);
}

static void add_matrix(GArray *tasks, double largest_flop, TopoDtype dtype, int64_t n, int64_t k)
{
    KernGemmShape s = {.batch = 1, .n = n, .k = k, .dtype = dtype};
    for (size_t i = 0; i < G_N_ELEMENTS(forward_rows); i++) {
        s.m = forward_rows[i];
        add(tasks, largest_flop, false, KERN_HOST_NT, s);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(backward_rows); i++) {
        KernGemmShape input = {.batch = 1, .m = backward_rows[i], .n = k, .k = n, .dtype = dtype};
        KernGemmShape weight = {.batch = 1, .m = n, .n = k, .k = backward_rows[i], .dtype = dtype};
        add(tasks, largest_flop, false, KERN_HOST_NN, input);
        add(tasks, largest_flop, false, KERN_HOST_TN, weight);
    }
}

void kern_host_tasks_products(GArray *tasks, double largest_flop, bool bf16)
{
    for (size_t i = 0; i < G_N_ELEMENTS(matrices); i++) {
        add_matrix(tasks, largest_flop, TOPO_DTYPE_FP32, matrices[i].n, matrices[i].k);
        if (bf16)
            add_matrix(tasks, largest_flop, TOPO_DTYPE_BF16, matrices[i].n, matrices[i].k);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(cores); i++) {
        int64_t b = cores[i].batch, s = cores[i].sequence, d = cores[i].head_dim;
        KernGemmShape scores = {.batch = b, .m = s, .n = s, .k = d, .dtype = TOPO_DTYPE_FP32};
        KernGemmShape context = {.batch = b, .m = s, .n = d, .k = s, .dtype = TOPO_DTYPE_FP32};
        add(tasks, largest_flop, true, KERN_HOST_NT, scores);
        add(tasks, largest_flop, true, KERN_HOST_NN, context);
        add(tasks, largest_flop, true, KERN_HOST_TN, context);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(caches); i++) {
        int64_t b = caches[i].batch, l = caches[i].keys, d = caches[i].head_dim;
        KernGemmShape scores = {.batch = b, .m = 1, .n = l, .k = d, .dtype = TOPO_DTYPE_FP32};
        KernGemmShape context = {.batch = b, .m = 1, .n = d, .k = l, .dtype = TOPO_DTYPE_FP32};
        add(tasks, largest_flop, true, KERN_HOST_NT, scores);
        add(tasks, largest_flop, true, KERN_HOST_NN, context);
    }
}

/* @count weights that were not used for long. */
static size_t take(KernHostArena *arena, size_t count)
{
    if (arena->at + count > arena->weights_count)
        arena->at = 0;
    size_t at = arena->at;
    arena->at += (count + 15) / 16 * 16;
    return at;
}

/* Outputs go where a layer's own buffers are: untouched since the layer before. */
static size_t take_output(KernHostArena *arena, size_t count)
{
    if (arena->out + count > arena->area_count)
        arena->out = 0;
    size_t out = arena->out;
    arena->out += (count + 15) / 16 * 16;
    return out;
}

static void run_weights(KernHostArena *arena, const KernHostTask *task)
{
    int m = (int)task->shape.m, n = (int)task->shape.n, k = (int)task->shape.k;
    bool gradient = task->sides == KERN_HOST_TN;
    size_t right = (size_t)n * (size_t)k, out = (size_t)m * (size_t)n;
    size_t b = gradient ? 0 : take(arena, right);
    size_t c = take_output(arena, out);
    if (task->shape.dtype == TOPO_DTYPE_BF16)
        kern_host_blas_multiply_bf16(arena->blas, task->sides, m, n, k, arena->halves,
                                     arena->halves + b, arena->area + c);
    else
        kern_host_blas_multiply(arena->blas, task->sides, m, n, k, arena->left, gradient ? m : k,
                                arena->weights + b, task->sides == KERN_HOST_NT ? k : n,
                                arena->area + c, n);
}

/* Operands of a batch lie one after another. */
static void run_activations(KernHostArena *arena, const KernHostTask *task)
{
    int m = (int)task->shape.m, n = (int)task->shape.n, k = (int)task->shape.k;
    size_t left = (size_t)m * (size_t)k, right = (size_t)n * (size_t)k;
    size_t out = (size_t)m * (size_t)n, batch = (size_t)task->shape.batch;
    size_t b = m == 1 ? take(arena, batch * right) : 0;
    size_t c = take_output(arena, batch * out);
    for (size_t i = 0; i < batch; i++)
        kern_host_blas_multiply(arena->blas, task->sides, m, n, k, arena->left + i * left,
                                task->sides == KERN_HOST_TN ? m : k, arena->weights + b + i * right,
                                task->sides == KERN_HOST_NT ? k : n, arena->area + c + i * out, n);
}

void kern_host_run_product(KernHostArena *arena, const KernHostTask *task)
{
    if (task->activations)
        run_activations(arena, task);
    else
        run_weights(arena, task);
}
