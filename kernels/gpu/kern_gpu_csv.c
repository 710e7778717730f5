/* The generic measurement table, as `orrery fit` reads it: comma-separated (RFC 4180), one header
 * line, '#' before comments, latencies in microseconds. Numbers are printed with enough digits to
 * keep the clock's resolution; the C locale gives the decimal point. */
#include "kern_gpu_csv.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

void kern_gpu_csv_comment(FILE *out, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    fprintf(out, "# %s\n", text);
    fflush(out);
}

void kern_gpu_csv_header(FILE *out)
{
    fputs("op,dtype,batch,m,n,k,heads,kv_heads,head_dim,context,bytes,latency_us,spread,software\n",
          out);
}

void kern_gpu_csv_field(FILE *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void print_size(FILE *out, int64_t size)
{
    if (size > 0)
        fprintf(out, "%" PRId64, size);
    fputc(',', out);
}

void kern_gpu_csv_row(FILE *out, const KernGpuShape *shape, KernGpuSummary latency,
                      const char *software)
{
    const int64_t sizes[] = {
        shape->batch,    shape->m,       shape->n,
        shape->k,        shape->heads,   shape->kv_heads,
        shape->head_dim, shape->context, kern_gpu_moved_bytes(shape),
    };
    fprintf(out, "%s,%s,", kern_gpu_op_name(shape->op), kern_gpu_type_name(shape->type));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        print_size(out, sizes[i]);
    fprintf(out, "%.4f,%.4f,", latency.median * 1e6, latency.spread_fraction);
    kern_gpu_csv_field(out, software);
    fputc('\n', out);
    fflush(out);
}

void kern_gpu_csv_describe(const KernGpuShape *shape, char *text, size_t size)
{
    const struct {
        const char *name;
        int64_t value;
    } sizes[] = {
        {"batch",    shape->batch   },
        {"m",        shape->m       },
        {"n",        shape->n       },
        {"k",        shape->k       },
        {"heads",    shape->heads   },
        {"kv_heads", shape->kv_heads},
        {"head_dim", shape->head_dim},
        {"context",  shape->context },
    };
    int used =
        snprintf(text, size, "%s %s", kern_gpu_op_name(shape->op), kern_gpu_type_name(shape->type));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (sizes[i].value > 0 && used >= 0 && (size_t)used < size)
            used += snprintf(text + used, size - (size_t)used, " %s %" PRId64, sizes[i].name,
                             sizes[i].value);
}
