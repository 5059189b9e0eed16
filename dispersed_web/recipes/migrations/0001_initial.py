import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('teams', '0002_to_0_1_0'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Recipe',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='recipes', to='teams.team')),
                ('owner', models.ForeignKey(help_text="Empty for a starter recipe, and after its owner's account is gone.", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('name', models.CharField(max_length=80)),
                ('description_md', models.TextField(blank=True, verbose_name='description')),
                ('category', models.CharField(choices=[('machine', 'Machine to work on'), ('training', 'Training'), ('images', 'Images and video'), ('language', 'Language models'), ('batch', 'Batch work'), ('other', 'Other')], default='other', max_length=10)),
                ('icon', models.CharField(default='file', help_text='A name of the icon sprite.', max_length=20)),
                ('visibility', models.CharField(choices=[('private', 'Only me'), ('team', 'The team')], default='private', max_length=8)),
                ('source', models.CharField(blank=True, help_text='“starter:name” or “cloud:uuid”; empty for one made here.', max_length=140)),
                ('copied_from', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='copies', to='recipes.recipe')),
                ('launches', models.PositiveIntegerField(default=0)),
                ('launched_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('archived_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['team', 'name'], name='recipe_of_team')],
                'constraints': [models.CheckConstraint(condition=models.Q(('visibility__in', ['private', 'team'])), name='recipe_visibility_known'), models.UniqueConstraint(condition=models.Q(('source__startswith', 'starter:')), fields=('team', 'source'), name='recipe_starter_once_per_team')],
            },
        ),
        migrations.CreateModel(
            name='RecipePin',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('recipe', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pins', to='recipes.recipe')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'recipe'), name='recipe_pin_once')],
            },
        ),
        migrations.CreateModel(
            name='RecipeVersion',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('recipe', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='recipes.recipe')),
                ('number', models.PositiveIntegerField()),
                ('document', models.JSONField()),
                ('note', models.CharField(blank=True, help_text="What changed, in its author's words.", max_length=200)),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('recipe', 'number'), name='recipe_version_once_per_number')],
            },
        ),
        migrations.AddField(
            model_name='recipe',
            name='current',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='recipes.recipeversion'),
        ),
    ]
