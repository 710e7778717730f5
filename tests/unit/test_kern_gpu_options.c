/* The command line of the GPU measurement kit. */
#include "kern_gpu_options.h"

#include <criterion/criterion.h>

#include <string.h>

enum { MOST_ARGUMENTS = 6 };

static int count_of(char *const *arguments)
{
    int count = 1;
    while (count < MOST_ARGUMENTS && arguments[count] != NULL)
        count++;
    return count;
}

static KernGpuOptions parsed(char *const *arguments)
{
    KernGpuOptions options;
    char error[200] = "";
    cr_assert(kern_gpu_options_parse(&options, count_of(arguments), arguments, error, sizeof error),
              "%s", error);
    return options;
}

Test(kern_gpu_options, measure_everything_quickly_by_default)
{
    char *const arguments[MOST_ARGUMENTS] = {"kit"};
    KernGpuOptions o = parsed(arguments);
    cr_expect(o.action == KERN_GPU_MEASURE && !o.thorough && !o.warm_l2);
    cr_expect(o.device == 0 && o.first == 0 && o.out == NULL);
    for (int i = 0; i < KERN_GPU_OP_COUNT; i++)
        cr_expect(o.ops[i]);
    for (int i = 0; i < KERN_GPU_TYPE_COUNT; i++)
        cr_expect(o.types[i]);
}

Test(kern_gpu_options, take_values_after_a_space_or_an_equals_sign)
{
    char *const spaced[MOST_ARGUMENTS] = {"kit", "--device", "3", "--out", "a=b.csv"};
    char *const joined[MOST_ARGUMENTS] = {"kit", "--device=3", "--out=a=b.csv"};
    KernGpuOptions a = parsed(spaced), b = parsed(joined);
    cr_expect(a.device == 3 && b.device == 3);
    cr_expect(strcmp(a.out, "a=b.csv") == 0 && strcmp(b.out, "a=b.csv") == 0);
}

Test(kern_gpu_options, name_sets_of_operations_and_types)
{
    char *const arguments[MOST_ARGUMENTS] = {"kit", "--ops", "softmax,gemm", "--dtypes=fp8"};
    KernGpuOptions o = parsed(arguments);
    for (int i = 0; i < KERN_GPU_OP_COUNT; i++)
        cr_expect(o.ops[i] == (i == KERN_GPU_GEMM || i == KERN_GPU_SOFTMAX), "operation %d", i);
    for (int i = 0; i < KERN_GPU_TYPE_COUNT; i++)
        cr_expect(o.types[i] == (i == KERN_GPU_FP8), "type %d", i);
}

Test(kern_gpu_options, read_flags_and_numbers)
{
    char *const arguments[MOST_ARGUMENTS] = {"kit",        "--warm-l2", "--thorough",
                                             "--first=12", "--plan",    "--budget-ms=50"};
    KernGpuOptions o = parsed(arguments);
    cr_expect(o.warm_l2 && o.thorough && o.first == 12 && o.action == KERN_GPU_SHOW_PLAN);
    cr_expect(o.budget_s > 0.0499 && o.budget_s < 0.0501);
}

static const struct {
    char *const arguments[MOST_ARGUMENTS];
    const char *says;
} wrong[] = {
    {{"kit", "--quik"},                                  "unknown argument '--quik'"                         },
    {{"kit", "shapes"},                                  "unknown argument 'shapes'"                         },
    {{"kit", "--device"},                                "--device needs a value"                            },
    {{"kit", "--device", "-1"},                          "'-1' is not a whole number from 0 to 1023"         },
    {{"kit", "--device", "1x"},                          "'1x' is not a whole number"                        },
    {{"kit", "--device="},                               "'' is not a whole number"                          },
    {{"kit", "--repeats", "4"},                          "'4' is not a whole number from 5 to 10000"         },
    {{"kit", "--repeats", "99999999999999999999999999"}, "is not a whole number from 5 to 10000"             },
    {{"kit", "--ops", "gem"},                            "unknown name 'gem', known: gemm copy add softmax"  },
    {{"kit", "--ops", "gemm,"},                          "unknown name '', known:"                           },
    {{"kit", "--dtypes", "fp16,fp"},                     "unknown name 'fp', known: fp32 tf32 fp16 bf16 fp8 "},
};

Test(kern_gpu_options, say_what_is_wrong_and_what_is_accepted)
{
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        KernGpuOptions options;
        char error[200] = "";
        bool well = kern_gpu_options_parse(&options, count_of(wrong[i].arguments),
                                           wrong[i].arguments, error, sizeof error);
        cr_expect(!well, "case %zu was taken", i);
        cr_expect(strstr(error, wrong[i].says) != NULL, "case %zu: %s", i, error);
    }
}
