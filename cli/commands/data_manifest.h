// pool.toml's [data] and the importer's manifest say the same thing; this turns one into the other.
#pragma once

#include "pool/types/task.h"
#include "train/data/data_manifest.h"

namespace cultivar {

Data data_of(const DataManifest& manifest);
DataManifest manifest_of(const Data& data);

}  // namespace cultivar
