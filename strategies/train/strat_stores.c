/* Moving states between the GPU, the host and its disks.
 *
 * ZeRO-Offload (Ren 2021, arXiv 2101.06840): the CPU keeps the fp32 weights and moments, 16-bit
 * gradients go down while the backward runs (section 4.1), the CPU's Adam updates a GPU's share and
 * the 16-bit weights go up tile by tile meanwhile (section 5.1). ZeRO-Infinity (Rajbhandari 2021,
 * arXiv 2104.07857): the same from NVMe, reads, updates and writes one behind the other (section
 * 5.2.2), and weights from host or NVMe unit by unit (section 5.1.1), each rank its own shard over
 * its own link. So an update takes
 *
 *   max(cpu_bytes / (ADAM x DRAM / n), up / link, disk / (read / n), disk / (write / n))
 *
 * for one of n GPUs of the node. ADAM is the share of the DRAM's rate that DeepSpeed's CPU Adam
 * reaches: table 4 of ZeRO-Offload has 0.22, 0.51, 1.03, 2.41 and 2.57 s for 1, 2, 4, 8 and 10
 * billion parameters of 28 bytes each, 93 to 127 GB/s, on two Xeon 8168 with twelve channels of
 * DDR4-2133 (204.8 GB/s): 0.535 of it, the mean, within 19 %.
 *
 * Left out: gradients added up on the host come back to the GPU first (DeepSpeed), which the
 * other direction of the link carries; pinning; links that pairs of GPUs share. */
#include "strat_stores.h"

#include <glib.h>

static const double ADAM = 0.535;

bool strat_stores_any(const StratStores *offload)
{
    return offload->activations > 0.0 || offload->activation_layers > 0 ||
           offload->optimizer != STRAT_STORE_DEVICE || offload->parameters != STRAT_STORE_DEVICE;
}

double strat_stores_activations(const StratStores *offload, int64_t layers)
{
    if (offload->activation_layers > 0)
        return MIN(1.0, (double)offload->activation_layers / (double)layers);
    return offload->activations;
}

int64_t strat_stores_sharers(const TopoCluster *cluster)
{
    return MIN(cluster->node.gpus, cluster->gpu_count);
}

double strat_stores_move_s(const TopoCluster *cluster, StratStore store, double bytes, bool up)
{
    const TopoNode *node = &cluster->node;
    double sharers = (double)strat_stores_sharers(cluster);
    double link = bytes / node->host_bytes_per_s;
    if (store != STRAT_STORE_DISK)
        return link;
    double disk = up ? node->disk_read_bytes_per_s : node->disk_write_bytes_per_s;
    return MAX(link, bytes * sharers / disk);
}

double strat_stores_update_s(const TopoCluster *cluster, StratStore store, double cpu_bytes,
                             double disk_bytes, double up_bytes)
{
    const TopoNode *node = &cluster->node;
    double sharers = (double)strat_stores_sharers(cluster);
    double seconds = cpu_bytes * sharers / (ADAM * node->host_memory_bytes_per_s);
    seconds = MAX(seconds, up_bytes / node->host_bytes_per_s);
    if (store != STRAT_STORE_DISK)
        return seconds;
    seconds = MAX(seconds, disk_bytes * sharers / node->disk_read_bytes_per_s);
    return MAX(seconds, disk_bytes * sharers / node->disk_write_bytes_per_s);
}
