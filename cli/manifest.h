// pool.toml's [data] and the importer's manifest say the same thing; this turns one into the other.
#pragma once

#include "pool/task.h"
#include "train/data/manifest.h"

namespace cultivar {

Data data_of(const DataManifest& manifest);
DataManifest manifest_of(const Data& data);

}  // namespace cultivar
