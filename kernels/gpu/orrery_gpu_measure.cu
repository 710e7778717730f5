/* orrery-gpu-measure: measures on this GPU the shapes that transformers use and prints the generic
 * table that `orrery fit` reads. README.md beside this file says how to build and use it.
 *
 * A shape that cannot be measured (it does not fit, the library has no algorithm, a call fails)
 * becomes a comment line with the reason, and the next one follows. Exit status: 0 done, 1 the
 * check found a difference or the GPU stopped answering, 2 the command line is wrong, 3 no GPU or
 * no file. */
#include "kern_gpu_check.cuh"
#include "kern_gpu_csv.h"
#include "kern_gpu_ops.cuh"
#include "kern_gpu_plan.h"

#include <stdlib.h>
#include <string.h>

static void show_plan(const KernGpuShape *shapes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[160];
        kern_gpu_csv_describe(&shapes[i], text, sizeof text);
        printf("%zu %s\n", i, text);
    }
}

/* Measures a shape and prints its row, or why there is none. */
static void measure(KernGpuLab *lab, const KernGpuShape *shape, size_t number, FILE *out)
{
    char text[160], software[64];
    KernGpuTensors tensors;
    KernGpuSummary latency;
    kern_gpu_csv_describe(shape, text, sizeof text);
    if (kern_gpu_tensors_lay(lab, shape, &tensors) &&
        kern_gpu_ops_time(lab, shape, &tensors, &latency, software, sizeof software))
        kern_gpu_csv_row(out, shape, latency, software);
    else
        kern_gpu_csv_comment(out, "unmeasured %zu: %s: %s", number, text, lab->error);
}

/* Says once, not once a shape, that the GPU has no such type. */
static void say_missing_types(const KernGpuLab *lab, FILE *out)
{
    for (int t = 0; t < KERN_GPU_TYPE_COUNT; t++)
        if (lab->options->types[t] && kern_gpu_type_capability((KernGpuType)t) > lab->capability)
            kern_gpu_csv_comment(out, "unmeasured: this GPU has no %s",
                                 kern_gpu_type_name((KernGpuType)t));
}

static int measure_all(KernGpuLab *lab, const KernGpuShape *shapes, size_t count, FILE *out)
{
    KernGpuSummary floor;
    if (!kern_gpu_lab_describe(lab, out) || !kern_gpu_lab_floor(lab, &floor)) {
        fprintf(stderr, "orrery-gpu-measure: %s\n", lab->error);
        return 3;
    }
    kern_gpu_csv_comment(out, "empty_kernel_us: %.4f", floor.median * 1e6);
    say_missing_types(lab, out);
    kern_gpu_csv_header(out);
    for (size_t i = (size_t)lab->options->first; i < count; i++) {
        if (kern_gpu_type_capability(shapes[i].type) > lab->capability)
            continue;
        if (out != stdout)
            fprintf(stderr, "\r%zu/%zu ", i + 1, count);
        measure(lab, &shapes[i], i, out);
        if (kern_gpu_lab_is_alive(lab))
            continue;
        kern_gpu_csv_comment(out, "the GPU stopped answering at shape %zu", i);
        fprintf(stderr,
                "orrery-gpu-measure: the GPU stopped answering at shape %zu; go on with "
                "--first %zu\n",
                i, i + 1);
        return 1;
    }
    if (out != stdout)
        fprintf(stderr, "\n");
    return 0;
}

static int use_gpu(const KernGpuOptions *options, const KernGpuShape *shapes, size_t count)
{
    KernGpuLab lab;
    FILE *out = stdout;
    int status = 3;
    if (!kern_gpu_lab_open(&lab, options)) {
        fprintf(stderr, "orrery-gpu-measure: %s\n", lab.error);
    } else if (options->action == KERN_GPU_CHECK) {
        status = kern_gpu_check(&lab, stdout) ? 0 : 1;
    } else if (options->out != NULL && (out = fopen(options->out, "w")) == NULL) {
        fprintf(stderr, "orrery-gpu-measure: cannot write %s\n", options->out);
    } else {
        status = measure_all(&lab, shapes, count, out);
        if (out != stdout && fclose(out) != 0)
            status = 3;
    }
    kern_gpu_lab_close(&lab);
    return status;
}

int main(int count, char **arguments)
{
    char error[256];
    KernGpuOptions options;
    if (!kern_gpu_options_parse(&options, count, arguments, error, sizeof error)) {
        fprintf(stderr, "orrery-gpu-measure: %s\n", error);
        return 2;
    }
    if (options.action == KERN_GPU_SHOW_HELP) {
        kern_gpu_options_help(stdout);
        return 0;
    }
    size_t shapes = kern_gpu_plan(&options, NULL, 0);
    KernGpuShape *plan = (KernGpuShape *)calloc(shapes + 1, sizeof *plan);
    if (plan == NULL)
        return 3;
    kern_gpu_plan(&options, plan, shapes);
    int status = 0;
    if (options.action == KERN_GPU_SHOW_PLAN)
        show_plan(plan, shapes);
    else
        status = use_gpu(&options, plan, shapes);
    free(plan);
    return status;
}
