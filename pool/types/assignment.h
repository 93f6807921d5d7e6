// A configuration: gene names and values, ordered by name, in one block of memory. Copying costs little more than a
// memcpy, because checking a pool of 100,000 runs makes several times as many copies.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pool/util/value.h"

namespace cultivar {

// A name that lives as long as the process, whoever made it: every different name is held once. Names of genes that no
// space has should not become one, since hostile files may bring any number of them. Making one from text is
// thread-safe and costs a look-up.
class GeneName : public std::string_view {
public:
    GeneName(std::string_view name) : std::string_view(held(name)) {}
    GeneName(const std::string& name) : GeneName(std::string_view(name)) {}
    GeneName(const char* name) : GeneName(std::string_view(name)) {}
    operator std::string() const { return std::string(data(), size()); }

private:
    static std::string_view held(std::string_view name);
};

class Genes {
public:
    using value_type = std::pair<GeneName, Value>;

private:
    static bool same(std::string_view a, std::string_view b) { return a.data() == b.data() || a == b; }
    static auto not_before(auto& all, std::string_view name) {
        return std::lower_bound(all.begin(), all.end(), name,
                                [](const value_type& gene, std::string_view key) { return gene.first < key; });
    }
    static auto found(auto& all, std::string_view name) {
        auto place = not_before(all, name);
        return place != all.end() && same(place->first, name) ? place : all.end();
    }

public:
    using iterator = std::vector<value_type>::iterator;
    using const_iterator = std::vector<value_type>::const_iterator;

    Genes() = default;
    // Of two with one name the first counts.
    Genes(std::initializer_list<value_type> genes) {
        for (const value_type& gene : genes) emplace(gene.first, gene.second);
    }

    const_iterator begin() const { return all_.begin(); }
    iterator begin() { return all_.begin(); }
    const_iterator end() const { return all_.end(); }
    iterator end() { return all_.end(); }
    std::size_t size() const { return all_.size(); }
    bool empty() const { return all_.empty(); }
    void clear() { all_.clear(); }
    void reserve(std::size_t size) { all_.reserve(size); }

    const_iterator find(std::string_view name) const { return found(all_, name); }
    iterator find(std::string_view name) { return found(all_, name); }
    bool contains(std::string_view name) const { return find(name) != end(); }
    // std::out_of_range where the name is not there.
    const Value& at(std::string_view name) const { return all_.at(place_of(find(name))).second; }
    Value& at(std::string_view name) { return all_.at(place_of(find(name))).second; }

    Value& operator[](const GeneName& name) { return emplace(name, Value()).first->second; }
    std::pair<iterator, bool> emplace(const GeneName& name, Value value) {
        auto place = not_before(all_, name);
        if (place != all_.end() && same(place->first, name)) return {place, false};
        return {all_.emplace(place, name, std::move(value)), true};
    }
    void insert_or_assign(const GeneName& name, Value value) { (*this)[name] = std::move(value); }
    void erase(std::string_view name) {
        if (auto place = find(name); place != end()) all_.erase(place);
    }

    bool operator==(const Genes&) const = default;

private:
    std::size_t place_of(const_iterator found) const { return static_cast<std::size_t>(found - all_.begin()); }
    std::vector<value_type> all_;  // ascending, each name once
};

}  // namespace cultivar
