/* The plan of the GPU measurement kit, and the sizes of its shapes. */
#include "kern_gpu_plan.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

static KernGpuOptions options_of(int count, char *const *arguments)
{
    KernGpuOptions options;
    char error[200];
    cr_assert(kern_gpu_options_parse(&options, count, arguments, error, sizeof error), "%s", error);
    return options;
}

static size_t plan_of(bool thorough, KernGpuShape **shapes)
{
    char *const arguments[] = {"kit", thorough ? "--thorough" : "--quick"};
    KernGpuOptions options = options_of(2, arguments);
    size_t count = kern_gpu_plan(&options, NULL, 0);
    *shapes = calloc(count, sizeof **shapes);
    cr_assert(kern_gpu_plan(&options, *shapes, count) == count);
    return count;
}

static bool contains(const KernGpuShape *shapes, size_t count, const KernGpuShape *shape)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(&shapes[i], shape, sizeof *shape) == 0)
            return true;
    return false;
}

Test(kern_gpu_plan, is_the_same_each_time)
{
    KernGpuShape *first, *second;
    size_t count = plan_of(true, &first);
    cr_assert(plan_of(true, &second) == count);
    cr_expect(memcmp(first, second, count * sizeof *first) == 0);
    free(first);
    free(second);
}

Test(kern_gpu_plan, a_quick_one_is_a_few_hundred_shapes_of_the_thorough_one)
{
    KernGpuShape *quick, *thorough;
    size_t quick_count = plan_of(false, &quick), thorough_count = plan_of(true, &thorough);
    cr_expect(quick_count > 200 && quick_count < 600, "%zu", quick_count);
    cr_expect(thorough_count > 2000 && thorough_count < 10000, "%zu", thorough_count);
    for (size_t i = 0; i < quick_count; i++)
        cr_expect(contains(thorough, thorough_count, &quick[i]), "quick shape %zu", i);
    free(quick);
    free(thorough);
}

Test(kern_gpu_plan, measures_no_shape_twice)
{
    KernGpuShape *shapes;
    size_t count = plan_of(true, &shapes);
    for (size_t i = 0; i < count; i++)
        cr_expect(!contains(shapes + i + 1, count - i - 1, &shapes[i]), "shape %zu", i);
    free(shapes);
}

/* What the kernels and cuBLASLt's fp8 products ask of a shape. */
Test(kern_gpu_plan, holds_only_shapes_that_the_kernels_take)
{
    KernGpuShape *shapes;
    size_t count = plan_of(true, &shapes);
    bool seen[KERN_GPU_OP_COUNT][KERN_GPU_TYPE_COUNT] = {0};
    for (size_t i = 0; i < count; i++) {
        const KernGpuShape *s = &shapes[i];
        seen[s->op][s->type] = true;
        cr_expect(s->m >= 1, "shape %zu", i);
        if (s->op == KERN_GPU_GEMM) {
            cr_expect(s->n % 16 == 0 && s->k % 16 == 0 && s->batch >= 1, "shape %zu", i);
        } else if (s->op == KERN_GPU_ATTENTION_DECODE) {
            int64_t group = s->heads / s->kv_heads;
            cr_expect(group == 1 || group == 4 || group == 8, "shape %zu", i);
            cr_expect(s->head_dim == 64 || s->head_dim == 128, "shape %zu", i);
        } else if (s->op == KERN_GPU_ATTENTION_UNFUSED) {
            cr_expect(s->context == s->m && s->context % 8 == 0 && s->kv_heads == s->heads);
        } else {
            cr_expect(s->n % 8 == 0 && s->type == KERN_GPU_BF16, "shape %zu", i);
        }
    }
    for (int t = 0; t < KERN_GPU_TYPE_COUNT; t++)
        cr_expect(seen[KERN_GPU_GEMM][t], "no product in type %d", t);
    for (int op = 0; op < KERN_GPU_OP_COUNT; op++)
        cr_expect(seen[op][KERN_GPU_BF16], "no operation %d", op);
    free(shapes);
}

Test(kern_gpu_plan, keeps_to_the_chosen_operations_and_types)
{
    char *const arguments[] = {"kit", "--ops", "gemm,copy", "--dtypes", "bf16"};
    KernGpuOptions options = options_of(5, arguments);
    KernGpuShape shapes[500];
    size_t count = kern_gpu_plan(&options, shapes, 500);
    cr_assert(count > 50 && count <= 500, "%zu", count);
    for (size_t i = 0; i < count; i++) {
        cr_expect(shapes[i].op == KERN_GPU_GEMM || shapes[i].op == KERN_GPU_COPY);
        cr_expect(shapes[i].type == KERN_GPU_BF16);
    }
}

Test(kern_gpu_plan, writes_no_more_than_there_is_room_for)
{
    char *const arguments[] = {"kit"};
    KernGpuOptions options = options_of(1, arguments);
    KernGpuShape shapes[3];
    memset(shapes, 0x5a, sizeof shapes);
    cr_expect(kern_gpu_plan(&options, shapes, 2) > 2);
    cr_expect(shapes[1].n > 0 && shapes[1].n < 1 << 30);
    cr_expect(shapes[2].n == INT64_C(0x5a5a5a5a5a5a5a5a));
}

static const struct {
    KernGpuShape shape;
    int64_t want;
} moved[] = {
    {{.op = KERN_GPU_GEMM, .type = KERN_GPU_BF16, .batch = 2, .m = 3, .n = 5, .k = 7},
     2 * (3 * 7 + 5 * 7 + 3 * 5) * 2                                                               },
    {{.op = KERN_GPU_GEMM, .type = KERN_GPU_FP8, .batch = 1, .m = 3, .n = 5, .k = 7},
     3 * 7 + 5 * 7 + 3 * 5 * 2                                                                     },
    {{.op = KERN_GPU_GEMM, .type = KERN_GPU_INT8, .batch = 1, .m = 3, .n = 5, .k = 7},
     3 * 7 + 5 * 7 + 3 * 5 * 4                                                                     },
    {{.op = KERN_GPU_ADD, .type = KERN_GPU_BF16, .m = 3, .n = 8},                      3 * 24 * 2  },
    {{.op = KERN_GPU_SOFTMAX, .type = KERN_GPU_BF16, .m = 3, .n = 8},                  2 * 24 * 2  },
    {{.op = KERN_GPU_RMSNORM, .type = KERN_GPU_BF16, .m = 3, .n = 8},                  (48 + 8) * 2},
    {{.op = KERN_GPU_ATTENTION_DECODE,
      .type = KERN_GPU_BF16,
      .batch = 2,
      .m = 1,
      .heads = 8,
      .kv_heads = 2,
      .head_dim = 64,
      .context = 100},
     2 * 2 * 2 * 100 * 64 * 2 + 2 * 2 * 8 * 64 * 2                                                 },
};

Test(kern_gpu_shape, counts_the_bytes_that_must_move)
{
    for (size_t i = 0; i < sizeof moved / sizeof moved[0]; i++) {
        int64_t got = kern_gpu_moved_bytes(&moved[i].shape);
        cr_expect(got == moved[i].want, "case %zu: %lld", i, (long long)got);
    }
}

Test(kern_gpu_shape, unfused_attention_holds_its_scores_once)
{
    KernGpuShape s = {.op = KERN_GPU_ATTENTION_UNFUSED,
                      .type = KERN_GPU_BF16,
                      .batch = 1,
                      .m = 4096,
                      .heads = 32,
                      .kv_heads = 32,
                      .head_dim = 128,
                      .context = 4096};
    int64_t scores = INT64_C(32) * 4096 * 4096 * 2, tensors = INT64_C(4) * 32 * 4096 * 128 * 2;
    int64_t held = kern_gpu_held_bytes(&s, 132);
    cr_expect(held >= scores + tensors && held < scores + tensors + 4096);
}

static KernGpuShape decode(int64_t batch, int64_t context)
{
    return (KernGpuShape){.op = KERN_GPU_ATTENTION_DECODE,
                          .type = KERN_GPU_BF16,
                          .batch = batch,
                          .m = 1,
                          .heads = 32,
                          .kv_heads = 8,
                          .head_dim = 128,
                          .context = context};
}

/* 132 SMs take 528 blocks; 8 key-value heads leave 66 pieces a sequence. */
Test(kern_gpu_shape, decode_is_split_until_the_gpu_is_full)
{
    const struct {
        int64_t batch, context, want;
    } cases[] = {
        {1,   131072, 66},
        {1,   1024,   4 },
        {1,   1,      1 },
        {16,  131072, 5 },
        {256, 131072, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        KernGpuShape s = decode(cases[i].batch, cases[i].context);
        int64_t got = kern_gpu_decode_splits(&s, 132);
        cr_expect(got == cases[i].want, "case %zu: %lld", i, (long long)got);
    }
}
