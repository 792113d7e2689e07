#include "kessai/pdf/document.h"

#include <cairo-ft.h>
#include <cairo-pdf.h>
#include <ft2build.h>
#include FT_FREETYPE_H

#include "kessai/result/check.h"
#include "kessai/time/business_date.h"

namespace kessai::pdf {
namespace {

Status Failed(cairo_status_t status) {
    if (status == CAIRO_STATUS_SUCCESS) return OkStatus();
    return Status(Code::kInternal, reason::kPdfFailed, cairo_status_to_string(status));
}

/// A font's face for one document: FreeType's objects belong to one thread at a time, and cairo
/// keeps them as long as it keeps the face.
struct Face {
    std::shared_ptr<const Font> font;
    FT_Library library = nullptr;
    FT_Face face = nullptr;

    Face() = default;
    Face(const Face&) = delete;
    Face& operator=(const Face&) = delete;
    ~Face() {
        if (face != nullptr) FT_Done_Face(face);
        if (library != nullptr) FT_Done_FreeType(library);
    }
};

void DropFace(void* face) {
    delete static_cast<Face*>(face);
}

using FontFace = std::unique_ptr<cairo_font_face_t, decltype(&cairo_font_face_destroy)>;
using Surface = std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)>;
using Context = std::unique_ptr<cairo_t, decltype(&cairo_destroy)>;

Result<FontFace> OpenFace(std::shared_ptr<const Font> font) {
    auto face = std::make_unique<Face>();
    face->font = std::move(font);
    const std::string& content = face->font->content();
    if (FT_Init_FreeType(&face->library) != 0 ||
        FT_New_Memory_Face(face->library, reinterpret_cast<const FT_Byte*>(content.data()),
                           static_cast<FT_Long>(content.size()), 0, &face->face) != 0) {
        return Failed(CAIRO_STATUS_NO_MEMORY);
    }
    FontFace made(cairo_ft_font_face_create_for_ft_face(face->face, FT_LOAD_NO_HINTING),
                  &cairo_font_face_destroy);
    KESSAI_RETURN_IF_ERROR(Failed(cairo_font_face_status(made.get())));
    static const cairo_user_data_key_t kFace{};
    KESSAI_RETURN_IF_ERROR(
        Failed(cairo_font_face_set_user_data(made.get(), &kFace, face.get(), &DropFace)));
    (void)face.release();
    return made;
}

cairo_status_t Append(void* file, const unsigned char* data, unsigned length) {
    static_cast<std::string*>(file)->append(reinterpret_cast<const char*>(data), length);
    return CAIRO_STATUS_SUCCESS;
}

void SetGray(cairo_t* cairo, Gray gray) {
    cairo_set_source_rgb(cairo, gray.level, gray.level, gray.level);
}

}  // namespace

void Page::Text(Point at, double size, std::string_view text, Align align, Gray gray) {
    if (!text.empty()) marks_.push_back(TextMark{at, size, std::string(text), align, gray});
}

void Page::Line(Point from, Point to, double width, Gray gray) {
    marks_.push_back(LineMark{from, to, width, gray});
}

void Page::Fill(Point corner, double width, double height, Gray gray) {
    marks_.push_back(FillMark{corner, width, height, gray});
}

Result<std::string> Document::Write() const {
    KESSAI_CHECK(!pages_.empty(), "a document has a page");
    KESSAI_ASSIGN_OR_RETURN(const FontFace face, OpenFace(font_));
    std::string file;
    const Surface surface(
        cairo_pdf_surface_create_for_stream(&Append, &file, kPageWidth, kPageHeight),
        &cairo_surface_destroy);
    cairo_pdf_surface_restrict_to_version(surface.get(), CAIRO_PDF_VERSION_1_5);
    const auto inform = [&](cairo_pdf_metadata_t what, const std::string& text) {
        cairo_pdf_surface_set_metadata(surface.get(), what, text.c_str());
    };
    inform(CAIRO_PDF_METADATA_TITLE, info_.title);
    inform(CAIRO_PDF_METADATA_AUTHOR, info_.author);
    inform(CAIRO_PDF_METADATA_CREATE_DATE, FormatJst(info_.created));
    const Context cairo(cairo_create(surface.get()), &cairo_destroy);
    cairo_set_font_face(cairo.get(), face.get());

    for (const Page& page : pages_) {
        for (const auto& mark : page.marks_) {
            if (const auto* text = std::get_if<Page::TextMark>(&mark)) {
                const std::string printable = font_->Printable(text->text);
                const double width = font_->WidthOf(printable, text->size);
                const double left = text->align == Align::kLeft     ? text->at.x
                                    : text->align == Align::kCenter ? text->at.x - width / 2
                                                                    : text->at.x - width;
                SetGray(cairo.get(), text->gray);
                cairo_set_font_size(cairo.get(), text->size);
                cairo_move_to(cairo.get(), left, text->at.y);
                cairo_show_text(cairo.get(), printable.c_str());
            } else if (const auto* line = std::get_if<Page::LineMark>(&mark)) {
                SetGray(cairo.get(), line->gray);
                cairo_set_line_width(cairo.get(), line->width);
                cairo_move_to(cairo.get(), line->from.x, line->from.y);
                cairo_line_to(cairo.get(), line->to.x, line->to.y);
                cairo_stroke(cairo.get());
            } else if (const auto* fill = std::get_if<Page::FillMark>(&mark)) {
                SetGray(cairo.get(), fill->gray);
                cairo_rectangle(cairo.get(), fill->corner.x, fill->corner.y, fill->width,
                                fill->height);
                cairo_fill(cairo.get());
            }
        }
        cairo_show_page(cairo.get());
    }
    KESSAI_RETURN_IF_ERROR(Failed(cairo_status(cairo.get())));
    cairo_surface_finish(surface.get());
    KESSAI_RETURN_IF_ERROR(Failed(cairo_surface_status(surface.get())));
    return file;
}

}  // namespace kessai::pdf
