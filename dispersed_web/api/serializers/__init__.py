"""What goes in and out, declared once: these classes validate, render, and make the OpenAPI document."""
