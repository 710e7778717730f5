/* Command line: long options only, as "--name value" or "--name=value". The parser is its own,
 * because nothing but the C library may be counted on, and getopt_long() is not in it. */
#include "kern_gpu_options.h"

#include <stdarg.h>
#include <string.h>

enum { REPEATS = 50, ALGORITHMS = 8, MOST_ALGORITHMS = 32, MILLISECONDS_PER_SHAPE = 200 };

/* Where a complaint goes. */
typedef struct Complaint {
    char *text;
    size_t size;
} Complaint;

__attribute__((format(printf, 2, 3))) static bool fail(const Complaint *complaint,
                                                       const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(complaint->text, complaint->size, format, arguments);
    va_end(arguments);
    return false;
}

static bool read_number(const char *option, const char *text, int64_t least, int64_t most,
                        int64_t *number, const Complaint *complaint)
{
    int64_t value = 0;
    const char *c = text;
    for (; *c >= '0' && *c <= '9' && value <= most; c++)
        value = 10 * value + (*c - '0');
    if (c == text || *c != '\0' || value < least || value > most)
        return fail(complaint, "%s: '%s' is not a whole number from %lld to %lld", option, text,
                    (long long)least, (long long)most);
    *number = value;
    return true;
}

static bool read_int(const char *option, const char *text, int least, int most, int *number,
                     const Complaint *complaint)
{
    int64_t value = 0;
    if (!read_number(option, text, least, most, &value, complaint))
        return false;
    *number = (int)value;
    return true;
}

static const char *op_name(int index)
{
    return kern_gpu_op_name((KernGpuOp)index);
}

static const char *type_name(int index)
{
    return kern_gpu_type_name((KernGpuType)index);
}

static int index_of(const char *name, size_t length, const char *(*name_of)(int), int count)
{
    for (int i = 0; i < count; i++)
        if (strlen(name_of(i)) == length && strncmp(name_of(i), name, length) == 0)
            return i;
    return -1;
}

/* Sets in @chosen the names that the comma-separated @text lists, and unsets the others. */
static bool read_set(const char *option, const char *text, const char *(*name_of)(int), int count,
                     bool *chosen, const Complaint *complaint)
{
    memset(chosen, 0, (size_t)count * sizeof chosen[0]);
    for (;;) {
        size_t length = strcspn(text, ",");
        int index = index_of(text, length, name_of, count);
        if (index < 0) {
            char known[160] = "";
            for (int i = 0, used = 0; i < count; i++)
                used += snprintf(known + used, sizeof known - (size_t)used, " %s", name_of(i));
            return fail(complaint, "%s: unknown name '%.*s', known:%s", option, (int)length, text,
                        known);
        }
        chosen[index] = true;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}

static bool read_flag(KernGpuOptions *options, const char *name)
{
    if (strcmp(name, "--quick") == 0)
        options->thorough = false;
    else if (strcmp(name, "--thorough") == 0)
        options->thorough = true;
    else if (strcmp(name, "--warm-l2") == 0)
        options->warm_l2 = true;
    else if (strcmp(name, "--plan") == 0)
        options->action = KERN_GPU_SHOW_PLAN;
    else if (strcmp(name, "--check") == 0)
        options->action = KERN_GPU_CHECK;
    else if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        options->action = KERN_GPU_SHOW_HELP;
    else
        return false;
    return true;
}

static bool read_value(KernGpuOptions *options, const char *name, const char *value,
                       const Complaint *complaint)
{
    if (strcmp(name, "--ops") == 0)
        return read_set(name, value, op_name, KERN_GPU_OP_COUNT, options->ops, complaint);
    if (strcmp(name, "--dtypes") == 0)
        return read_set(name, value, type_name, KERN_GPU_TYPE_COUNT, options->types, complaint);
    if (strcmp(name, "--device") == 0)
        return read_int(name, value, 0, 1023, &options->device, complaint);
    if (strcmp(name, "--repeats") == 0)
        return read_int(name, value, 5, 10000, &options->repeats, complaint);
    if (strcmp(name, "--algorithms") == 0)
        return read_int(name, value, 1, MOST_ALGORITHMS, &options->algorithms, complaint);
    if (strcmp(name, "--first") == 0)
        return read_number(name, value, 0, 1000000, &options->first, complaint);
    if (strcmp(name, "--budget-ms") == 0) {
        int milliseconds = 0;
        if (!read_int(name, value, 1, 600000, &milliseconds, complaint))
            return false;
        options->budget_s = milliseconds * 1e-3;
        return true;
    }
    options->out = value;
    return true;
}

static bool takes_value(const char *name)
{
    static const char *const names[] = {"--ops",        "--dtypes", "--device",    "--repeats",
                                        "--algorithms", "--first",  "--budget-ms", "--out"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

bool kern_gpu_options_parse(KernGpuOptions *options, int count, char *const *arguments, char *error,
                            size_t error_size)
{
    const Complaint complaint = {error, error_size};
    KernGpuOptions defaults = {
        .repeats = REPEATS, .algorithms = ALGORITHMS, .budget_s = MILLISECONDS_PER_SHAPE * 1e-3};
    *options = defaults;
    memset(options->ops, true, sizeof options->ops);
    memset(options->types, true, sizeof options->types);
    for (int i = 1; i < count; i++) {
        if (read_flag(options, arguments[i]))
            continue;
        char name[32];
        size_t length = strcspn(arguments[i], "=");
        snprintf(name, sizeof name, "%.*s", (int)(length < 31 ? length : 31), arguments[i]);
        if (!takes_value(name))
            return fail(&complaint, "unknown argument '%s'; --help lists them", arguments[i]);
        const char *value = arguments[i][length] == '=' ? arguments[i] + length + 1 : NULL;
        if (value == NULL && ++i == count)
            return fail(&complaint, "%s needs a value", name);
        if (!read_value(options, name, value != NULL ? value : arguments[i], &complaint))
            return false;
    }
    return true;
}

void kern_gpu_options_help(FILE *out)
{
    fprintf(out,
            "orrery-gpu-measure [OPTION...]   measures this GPU and prints the table that\n"
            "                                 `orrery fit` reads\n"
            "  --quick | --thorough  a few hundred shapes (default) | a few thousand\n"
            "  --ops LIST            of gemm,copy,add,softmax,rmsnorm,attention_decode,\n"
            "                        attention_unfused\n"
            "  --dtypes LIST         of fp32,tf32,fp16,bf16,fp8,int8\n"
            "  --warm-l2             calls back to back from a CUDA graph; without it the L2 is\n"
            "                        emptied before each call\n"
            "  --device N            the GPU, 0\n"
            "  --repeats N           of a shape at most, %d\n"
            "  --budget-ms N         time for the repeats of a shape, %d\n"
            "  --algorithms N        of cuBLASLt tried for a product, %d\n"
            "  --first N             leave out the shapes before number N, to go on after a break\n"
            "  --out FILE            instead of standard output\n"
            "  --plan                print the numbered shapes and stop; needs no GPU\n"
            "  --check               compare every kernel with a reference on the CPU and stop\n"
            "  -h, --help            this text\n",
            REPEATS, MILLISECONDS_PER_SHAPE, ALGORITHMS);
}
