/* Timing on the GPU.
 *
 * One repeat: empty the L2, record an event, enqueue the call, record an event, wait. The time is
 * the distance of the two events (cudaEventElapsedTime; its documentation gives a resolution of
 * about half a microsecond). It holds the start of the kernel, the kernel, and nothing of the host:
 * while the GPU still empties its L2, the host has long enqueued the rest. The floor of such a
 * measurement, an empty kernel, is printed with the table and left in the rows.
 *
 * The L2 is emptied by reading twice its size. Reading, not writing: written lines would have to go
 * to memory while the measured kernel runs, and it would pay for them. With --warm-l2 a CUDA graph
 * of several calls is timed and divided instead: a serving engine's captured step, inputs in the L2
 * as far as they fit.
 *
 * Left out: power. A microbenchmark of milliseconds runs at boost clock, a training step of seconds
 * under the power cap; the profile's sustained clock accounts for that. */
#include "kern_gpu_lab.cuh"

#include "kern_gpu_csv.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    THREADS = 256,
    LEAST_REPEATS = 5,
    SCREENING_REPEATS = 3,
    LEAST_ERASER_BYTES = 64 << 20,
    MOST_CALLS_OF_A_GRAPH = 50,
};

static const double screening_budget_s = 0.01;
static const double graph_s = 1e-3; /* a graph of calls should take this long */

bool kern_gpu_lab_fail(KernGpuLab *lab, const char *file, int line, const char *call,
                       const char *text)
{
    const char *slash = strrchr(file, '/');
    snprintf(lab->error, sizeof lab->error, "%s:%d: %.200s: %s", slash != NULL ? slash + 1 : file,
             line, call, text);
    cudaGetLastError(); /* forgets an error that can be forgotten */
    return false;
}

static __global__ void nothing()
{
}

/* Sums 16-byte words; the sum is kept from being optimised away by a store that never happens. */
static __global__ void read_all(const uint4 *words, size_t count, unsigned *never)
{
    unsigned sum = 0;
    size_t stride = (size_t)gridDim.x * blockDim.x;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += stride) {
        uint4 word = words[i];
        sum |= word.x | word.y | word.z | word.w;
    }
    if (sum != 0)
        *never = sum;
}

/* A 32-bit mix of the element's number: the finaliser of MurmurHash3. */
static __device__ unsigned mixed(unsigned long long i)
{
    unsigned x = (unsigned)i ^ (unsigned)(i >> 32) * 0x9e3779b9u;
    x = (x ^ x >> 16) * 0x85ebca6bu;
    x = (x ^ x >> 13) * 0xc2b2ae35u;
    return x ^ x >> 16;
}

static __global__ void fill(void *tensor, int type, unsigned long long count,
                            unsigned long long seed)
{
    unsigned long long stride = (unsigned long long)gridDim.x * blockDim.x;
    unsigned long long i = (unsigned long long)blockIdx.x * blockDim.x + threadIdx.x;
    for (; i < count; i += stride) {
        unsigned bits = mixed(i + seed);
        float value = (float)(bits >> 8) * (2.0f / 16777216.0f) - 1.0f;
        if (type == KERN_GPU_FP16)
            ((__half *)tensor)[i] = __float2half_rn(value);
        else if (type == KERN_GPU_BF16)
            ((__nv_bfloat16 *)tensor)[i] = __float2bfloat16_rn(value);
        else if (type == KERN_GPU_FP8)
            ((__nv_fp8_storage_t *)tensor)[i] =
                __nv_cvt_float_to_fp8(value, __NV_SATFINITE, __NV_E4M3);
        else if (type == KERN_GPU_INT8)
            ((unsigned char *)tensor)[i] = (unsigned char)bits;
        else
            ((float *)tensor)[i] = value;
    }
}

static int blocks_for(const KernGpuLab *lab, size_t items)
{
    size_t wanted = (items + THREADS - 1) / THREADS;
    size_t most = (size_t)lab->sms * 16;
    return (int)(wanted < most ? (wanted > 0 ? wanted : 1) : most);
}

static bool read_attributes(KernGpuLab *lab)
{
    int device = lab->options->device, major, minor, l2;
    KERN_GPU_TRY(lab, cudaDeviceGetAttribute(&lab->sms, cudaDevAttrMultiProcessorCount, device));
    KERN_GPU_TRY(lab, cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
    KERN_GPU_TRY(lab, cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device));
    KERN_GPU_TRY(lab, cudaDeviceGetAttribute(&l2, cudaDevAttrL2CacheSize, device));
    lab->capability = 10 * major + minor;
    lab->l2_bytes = (size_t)l2;
    return true;
}

bool kern_gpu_lab_open(KernGpuLab *lab, const KernGpuOptions *options)
{
    const float one = 1.0f;
    memset(lab, 0, sizeof *lab);
    lab->options = options;
    KERN_GPU_TRY(lab, cudaSetDevice(options->device));
    if (!read_attributes(lab))
        return false;
    lab->eraser_bytes = 2 * lab->l2_bytes;
    if (lab->eraser_bytes < LEAST_ERASER_BYTES)
        lab->eraser_bytes = LEAST_ERASER_BYTES;
    KERN_GPU_TRY(lab, cudaStreamCreateWithFlags(&lab->stream, cudaStreamNonBlocking));
    KERN_GPU_TRY(lab, cudaEventCreate(&lab->start));
    KERN_GPU_TRY(lab, cudaEventCreate(&lab->stop));
    KERN_GPU_TRY(lab, cudaMalloc(&lab->workspace, KERN_GPU_WORKSPACE_BYTES));
    KERN_GPU_TRY(lab, cudaMalloc(&lab->eraser, lab->eraser_bytes));
    KERN_GPU_TRY(lab, cudaMalloc((void **)&lab->ones, sizeof one));
    KERN_GPU_TRY(lab, cudaMemset(lab->eraser, 0, lab->eraser_bytes));
    KERN_GPU_TRY(lab, cudaMemcpy(lab->ones, &one, sizeof one, cudaMemcpyHostToDevice));
    KERN_GPU_TRY(lab, cudaDeviceSynchronize());
    KERN_GPU_TRY_BLAS(lab, cublasLtCreate(&lab->blas));
    return true;
}

void kern_gpu_lab_close(KernGpuLab *lab)
{
    if (lab->blas != NULL)
        cublasLtDestroy(lab->blas);
    cudaFree(lab->ones);
    cudaFree(lab->arena);
    cudaFree(lab->eraser);
    cudaFree(lab->workspace);
    if (lab->stop != NULL)
        cudaEventDestroy(lab->stop);
    if (lab->start != NULL)
        cudaEventDestroy(lab->start);
    if (lab->stream != NULL)
        cudaStreamDestroy(lab->stream);
}

static void print_date(FILE *out)
{
    char date[32];
    time_t now = time(NULL);
    if (strftime(date, sizeof date, "%Y-%m-%d", gmtime(&now)) > 0)
        kern_gpu_csv_comment(out, "date: %s", date);
}

bool kern_gpu_lab_describe(KernGpuLab *lab, FILE *out)
{
    cudaDeviceProp device;
    int number = lab->options->device, driver, runtime, clock_khz, memory_khz, bus_bits;
    KERN_GPU_TRY(lab, cudaGetDeviceProperties(&device, number));
    KERN_GPU_TRY(lab, cudaDriverGetVersion(&driver));
    KERN_GPU_TRY(lab, cudaRuntimeGetVersion(&runtime));
    KERN_GPU_TRY(lab, cudaDeviceGetAttribute(&clock_khz, cudaDevAttrClockRate, number));
    KERN_GPU_TRY(lab, cudaDeviceGetAttribute(&memory_khz, cudaDevAttrMemoryClockRate, number));
    KERN_GPU_TRY(lab, cudaDeviceGetAttribute(&bus_bits, cudaDevAttrGlobalMemoryBusWidth, number));
    kern_gpu_csv_comment(out, "orrery gpu measurement, format 1");
    print_date(out);
    kern_gpu_csv_comment(out, "gpu: %s", device.name);
    kern_gpu_csv_comment(out, "compute_capability: %d.%d", device.major, device.minor);
    kern_gpu_csv_comment(out, "sms: %d", lab->sms);
    kern_gpu_csv_comment(out, "max_sm_clock_mhz: %.0f", clock_khz * 1e-3);
    kern_gpu_csv_comment(out, "max_memory_clock_mhz: %.0f", memory_khz * 1e-3);
    kern_gpu_csv_comment(out, "memory_bus_bits: %d", bus_bits);
    kern_gpu_csv_comment(out, "memory_bytes: %zu", device.totalGlobalMem);
    kern_gpu_csv_comment(out, "l2_bytes: %zu", lab->l2_bytes);
    kern_gpu_csv_comment(out, "driver_cuda: %d.%d", driver / 1000, driver % 1000 / 10);
    kern_gpu_csv_comment(out, "runtime_cuda: %d.%d", runtime / 1000, runtime % 1000 / 10);
    kern_gpu_csv_comment(out, "cublaslt: %zu", cublasLtGetVersion());
    kern_gpu_csv_comment(out, "l2: %s", lab->options->warm_l2 ? "warm" : "cold");
    kern_gpu_csv_comment(out, "repeats: at most %d, at most %.0f ms; algorithms: best of %d",
                         lab->options->repeats, lab->options->budget_s * 1e3,
                         lab->options->algorithms);
    return true;
}

bool kern_gpu_lab_reserve(KernGpuLab *lab, size_t bytes)
{
    if (bytes <= lab->arena_bytes)
        return true;
    KERN_GPU_TRY(lab, cudaFree(lab->arena));
    lab->arena = NULL;
    lab->arena_bytes = 0;
    KERN_GPU_TRY(lab, cudaMalloc((void **)&lab->arena, bytes));
    lab->arena_bytes = bytes;
    return true;
}

bool kern_gpu_lab_fill(KernGpuLab *lab, void *tensor, KernGpuType type, int64_t count)
{
    unsigned long long place = (unsigned long long)((unsigned char *)tensor - lab->arena);
    fill<<<blocks_for(lab, (size_t)count), THREADS, 0, lab->stream>>>(
        tensor, (int)type, (unsigned long long)count, place << 24);
    KERN_GPU_TRY(lab, cudaGetLastError());
    return true;
}

static bool empty_l2(KernGpuLab *lab)
{
    size_t words = lab->eraser_bytes / sizeof(uint4);
    read_all<<<blocks_for(lab, words), THREADS, 0, lab->stream>>>((const uint4 *)lab->eraser, words,
                                                                  (unsigned *)lab->eraser);
    KERN_GPU_TRY(lab, cudaGetLastError());
    return true;
}

/* Seconds between the two events once the second has passed. */
static bool read_clock(KernGpuLab *lab, double *seconds)
{
    float milliseconds;
    KERN_GPU_TRY(lab, cudaEventSynchronize(lab->stop));
    KERN_GPU_TRY(lab, cudaEventElapsedTime(&milliseconds, lab->start, lab->stop));
    *seconds = milliseconds * 1e-3;
    return true;
}

static bool time_once(KernGpuLab *lab, KernGpuCall call, const void *context, double *seconds)
{
    if (!empty_l2(lab))
        return false;
    KERN_GPU_TRY(lab, cudaEventRecord(lab->start, lab->stream));
    if (!call(lab, context))
        return false;
    KERN_GPU_TRY(lab, cudaEventRecord(lab->stop, lab->stream));
    return read_clock(lab, seconds);
}

static bool time_cold(KernGpuLab *lab, KernGpuCall call, const void *context, int repeats,
                      double *seconds)
{
    for (int i = 0; i < repeats; i++)
        if (!time_once(lab, call, context, &seconds[i]))
            return false;
    return true;
}

/* Captures @calls calls. The capture is ended even when a call failed, or the stream would be of no
 * further use; that call's error is the one to tell. */
static bool capture(KernGpuLab *lab, KernGpuCall call, const void *context, int calls,
                    cudaGraph_t *graph)
{
    bool well = true;
    KERN_GPU_TRY(lab, cudaStreamBeginCapture(lab->stream, cudaStreamCaptureModeThreadLocal));
    for (int i = 0; i < calls && well; i++)
        well = call(lab, context);
    cudaError_t status = cudaStreamEndCapture(lab->stream, graph);
    if (!well) {
        cudaGetLastError();
        if (*graph != NULL)
            cudaGraphDestroy(*graph);
        return false;
    }
    KERN_GPU_TRY(lab, status);
    return true;
}

static bool time_graph(KernGpuLab *lab, cudaGraphExec_t graph, double *seconds)
{
    KERN_GPU_TRY(lab, cudaEventRecord(lab->start, lab->stream));
    KERN_GPU_TRY(lab, cudaGraphLaunch(graph, lab->stream));
    KERN_GPU_TRY(lab, cudaEventRecord(lab->stop, lab->stream));
    return read_clock(lab, seconds);
}

static bool time_warm(KernGpuLab *lab, KernGpuCall call, const void *context, int calls,
                      int repeats, double *seconds)
{
    cudaGraph_t graph = NULL;
    cudaGraphExec_t executable = NULL;
    if (!capture(lab, call, context, calls, &graph))
        return false;
    cudaError_t status = cudaGraphInstantiateWithFlags(&executable, graph, 0);
    cudaGraphDestroy(graph);
    KERN_GPU_TRY(lab, status);
    bool well = time_graph(lab, executable, &seconds[0]); /* the first launch uploads the graph */
    for (int i = 0; i < repeats && well; i++) {
        well = time_graph(lab, executable, &seconds[i]);
        seconds[i] /= calls;
    }
    cudaGraphExecDestroy(executable);
    return well;
}

bool kern_gpu_lab_time(KernGpuLab *lab, KernGpuCall call, const void *context, bool screening,
                       KernGpuSummary *latency)
{
    double estimate_s, flush_s = lab->options->warm_l2 ? 0.0 : 1e-4;
    if (!call(lab, context) || !time_once(lab, call, context, &estimate_s))
        return false;
    int most = screening ? SCREENING_REPEATS : lab->options->repeats;
    int least = screening ? 1 : LEAST_REPEATS;
    double budget_s = screening ? screening_budget_s : lab->options->budget_s;
    int calls =
        lab->options->warm_l2 ? kern_gpu_repeats(estimate_s, graph_s, 1, MOST_CALLS_OF_A_GRAPH) : 1;
    int repeats = kern_gpu_repeats(calls * estimate_s + flush_s, budget_s, least, most);
    double *seconds = (double *)calloc((size_t)repeats, sizeof *seconds);
    if (seconds == NULL)
        return kern_gpu_lab_fail(lab, __FILE__, __LINE__, "calloc", "out of memory");
    bool well = lab->options->warm_l2 ? time_warm(lab, call, context, calls, repeats, seconds)
                                      : time_cold(lab, call, context, repeats, seconds);
    if (well)
        *latency = kern_gpu_summary(seconds, (size_t)repeats);
    free(seconds);
    return well;
}

static bool call_nothing(KernGpuLab *lab, const void *context)
{
    (void)context;
    nothing<<<1, 32, 0, lab->stream>>>();
    KERN_GPU_TRY(lab, cudaGetLastError());
    return true;
}

bool kern_gpu_lab_floor(KernGpuLab *lab, KernGpuSummary *latency)
{
    return kern_gpu_lab_time(lab, call_nothing, NULL, false, latency);
}

bool kern_gpu_lab_is_alive(const KernGpuLab *lab)
{
    return cudaStreamSynchronize(lab->stream) == cudaSuccess;
}
