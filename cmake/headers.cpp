// The translation unit that owns the precompiled headers (cmake/CultivarLibrary.cmake).
