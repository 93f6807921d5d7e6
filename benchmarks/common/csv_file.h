// Reads tables of figures: comma-separated values, plain or gzipped, without quoting.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pool/util/result.h"

namespace cultivar {

struct CsvFile {
    std::vector<std::string> header;
    std::vector<std::vector<std::string>> rows;  // fields may be empty; rows may differ in length
};

// Errors: io (unreadable), corrupt (damaged, or no header).
Result<CsvFile> read_csv(const std::string& path);

// Parses a finite number; nullopt for anything else.
std::optional<double> number_of(const std::string& field);

// Returns the name of a file without folders and without .csv or .csv.gz.
std::string stem_of(const std::string& path);

}  // namespace cultivar
